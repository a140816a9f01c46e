package import WorkerProtocol

/// What `GET /status` answers. `docs/json.md` documents it.
package struct DaemonStatus: Codable, Hashable, Sendable {
    package enum Activity: String, Codable, Sendable {
        case starting, idle, merging, paused, waiting, failing
    }

    package struct Deployed: Codable, Hashable, Sendable {
        package var version: Int
        package var created: String
        package var merge: String
        package var path: String
        package var rollbackOf: Int?
        package var tasks: [String]

        package init(
            version: Int, created: String, merge: String, path: String, rollbackOf: Int?, tasks: [String]
        ) {
            self.version = version
            self.created = created
            self.merge = merge
            self.path = path
            self.rollbackOf = rollbackOf
            self.tasks = tasks
        }
    }

    /// A folder of the registry, or a deployed task whose folder is gone.
    package struct Task: Codable, Hashable, Sendable {
        package enum State: String, Codable, Sendable {
            /// In the deployed release with this content.
            case deployed
            /// Accepted, in the running merge.
            case merging
            /// Accepted, in none yet.
            case accepted
            /// In the candidate, which is on trial.
            case candidate
            case arriving, refused
            /// Left out: the gate, a worker or repeated failures.
            case setAside = "set-aside"
        }
        package var name: String
        package var state: State
        package var message: String
        package var digest: String?
        /// Held-out metric of the deployed release, where it was scored.
        package var score: Double?

        package init(name: String, state: State, message: String, digest: String? = nil, score: Double? = nil) {
            self.name = name
            self.state = state
            self.message = message
            self.digest = digest
            self.score = score
        }
    }

    package struct Merge: Codable, Hashable, Sendable {
        package var merge: String
        package var tasks: [String]
        package var phase: String
        package var done: Int
        package var total: Int
        package var loss: Double?
        package var heldOut: Double?
        package var secondsLeft: Double?
        /// When it began, ISO 8601 in UTC.
        package var started: String
        /// Each task's held-out figures at the last evaluation.
        package var scores: [HeldOutScore]
        /// The looks so far, thinned.
        package var curve: [FitPoint]

        package init(merge: String, tasks: [String], phase: String, done: Int, total: Int, started: String) {
            self.merge = merge
            self.tasks = tasks
            self.phase = phase
            self.done = done
            self.total = total
            self.started = started
            scores = []
            curve = []
        }
    }

    /// A server that a hook calls.
    package struct Server: Codable, Hashable, Sendable {
        /// `host:port`.
        package var target: String
        /// The release that it has confirmed last; nil where it has confirmed none.
        package var version: Int?
        /// What it answered last.
        package var message: String

        package init(_ target: String, version: Int?, message: String = "") {
            self.target = target
            self.version = version
            self.message = message
        }
    }

    /// A server that the check of a release on trial asks.
    package struct CheckTarget: Codable, Hashable, Sendable {
        package enum State: String, Codable, CaseIterable, Sendable { case held, failed, silent }

        /// `host:port`.
        package var target: String
        package var state: State
        /// What it answered last, or why it did not.
        package var message: String

        package init(_ target: String, _ state: State, _ message: String) {
            self.target = target
            self.state = state
            self.message = message
        }
    }

    /// A hook of the configuration.
    package struct Hook: Codable, Hashable, Sendable {
        package enum State: String, Codable, CaseIterable, Sendable {
            /// There is no release yet.
            case waiting
            case running
            /// It has succeeded for the deployed release.
            case done
            case failed
        }
        package var name: String
        package var state: State
        /// The release that it is about.
        package var version: Int?
        /// Attempts that have failed so far, or that it took.
        package var attempts: Int
        /// How it ended, or why the last attempt failed.
        package var message: String
        /// What is on each of its servers, where it has targets.
        package var targets: [Server]?

        package init(_ name: String, _ state: State, version: Int?, attempts: Int = 0, message: String = "") {
            self.name = name
            self.state = state
            self.version = version
            self.attempts = attempts
            self.message = message
        }
    }

    /// The release on trial.
    package struct Rollout: Codable, Hashable, Sendable {
        package enum State: String, Codable, CaseIterable, Sendable {
            /// Hooks have not ended.
            case starting
            case checking
            /// The check gives no answer.
            case silent
            /// The check says no, and an operator decides.
            case failing
            /// There is no check: an operator decides.
            case byHand = "by-hand"
        }

        package var version: Int
        /// `canary`: it is the candidate; `watch`: it is deployed.
        package var kind: String
        package var state: State
        /// What the check said last, or why it said nothing.
        package var message: String
        /// Time in which the check held, and that it has to hold.
        package var heldSeconds: Double
        package var windowSeconds: Double
        /// The release that is deployed where this one is taken back.
        package var previous: Int?
        /// What each server answered at the last check, where the check has targets.
        package var targets: [CheckTarget]?

        package init(
            version: Int, kind: String, state: State, message: String, heldSeconds: Double, windowSeconds: Double,
            previous: Int?
        ) {
            self.version = version
            self.kind = kind
            self.state = state
            self.message = message
            self.heldSeconds = heldSeconds
            self.windowSeconds = windowSeconds
            self.previous = previous
        }
    }

    package var activity: Activity
    /// One sentence: what the daemon does, or why it does nothing.
    package var message: String
    package var deployed: Deployed?
    package var base: Task
    package var tasks: [Task]
    package var merge: Merge?
    package var rollout: Rollout?
    /// Stray names in `tasks/` and why they are not tasks.
    package var strays: [String: String]
    package var hooks: [Hook]
    /// Whether a task without examples is refused.
    package var requiresExamples: Bool?
    package var registry: String
    package var deploy: String
    package var state: String
    package var pid: Int32
    package var started: String
    /// `Product.version` of the daemon, which after an upgrade may be another than the asking program's.
    package var daemonVersion: String?

    package init(
        activity: Activity, message: String, base: Task, tasks: [Task], registry: String, deploy: String, state: String,
        pid: Int32, started: String
    ) {
        self.activity = activity
        self.message = message
        self.base = base
        self.tasks = tasks
        self.registry = registry
        self.deploy = deploy
        self.state = state
        self.pid = pid
        self.started = started
        strays = [:]
        hooks = []
    }
}
