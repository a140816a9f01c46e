/// What a worker says on its standard output, one JSON object a line, its kind under `event`.
package enum WorkerEvent: Hashable, Sendable {
    /// The inputs are open and the graph can be run.
    case started(Started)
    /// Work was done since the last line; also what feeds the watchdog.
    case progress(Progress)
    /// The candidate is complete in the output directory.
    case finished(MergeResult)
    /// The merge can't be done.
    case failed(Failure)

    package struct Started: Codable, Hashable, Sendable {
        package var tasks: [String]
        /// Step that an interrupted fit goes on from; 0 for a new one.
        package var resumedAt: Int
        /// How the tasks are fitted together; nil where nothing is learned.
        package var strategy: StrategyChoice?

        package init(tasks: [String], resumedAt: Int, strategy: StrategyChoice? = nil) {
            self.tasks = tasks
            self.resumedAt = resumedAt
            self.strategy = strategy
        }
    }

    package struct Progress: Codable, Hashable, Sendable {
        package enum Phase: String, Codable, Sendable {
            case reading, scoring
            /// Calibration, layers of one λ, and the steps by which starts are compared.
            case calibrating
            case fitting, writing
        }
        package var phase: Phase
        /// Units done and in all: steps of a fit, tensors of a write.
        package var done: Int
        package var total: Int
        package var loss: Double?
        package var heldOut: Double?
        /// Each task's held-out figures, where they were taken at this step.
        package var scores: [HeldOutScore]?
        /// Estimate of the seconds left in the whole merge.
        package var secondsLeft: Double?

        package init(
            phase: Phase, done: Int, total: Int, loss: Double? = nil, heldOut: Double? = nil,
            scores: [HeldOutScore]? = nil, secondsLeft: Double? = nil
        ) {
            self.phase = phase
            self.done = done
            self.total = total
            self.loss = loss
            self.heldOut = heldOut
            self.scores = scores
            self.secondsLeft = secondsLeft
        }
    }

    package struct Failure: Codable, Hashable, Sendable, Error {
        package enum Kind: String, Codable, Sendable {
            /// Something in the named task is wrong: it is refused, the others go on.
            case badTask = "bad-task"
            /// The base, its graph or the settings can't be used: nothing can be merged until they change.
            case badBase = "bad-base"
            /// A file changed while it was read: look at the registry again.
            case inputChanged = "input-changed"
            /// No room, no permission, no memory: try again later.
            case environment
            /// A fault of ours.
            case fault
        }
        package var kind: Kind
        package var task: String?
        /// Of what admission refuses: short and stable, for programs.
        package var code: String?
        /// What happened and what to do, one sentence or two.
        package var message: String

        package init(kind: Kind, task: String? = nil, code: String? = nil, message: String) {
            self.kind = kind
            self.task = task
            self.code = code
            self.message = message
        }
    }
}

extension WorkerEvent: Codable {
    private enum Key: String, CodingKey { case event }
    private enum Kind: String, Codable { case started, progress, finished, failed }

    package init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: Key.self).decode(Kind.self, forKey: .event) {
        case .started: self = .started(try Started(from: decoder))
        case .progress: self = .progress(try Progress(from: decoder))
        case .finished: self = .finished(try MergeResult(from: decoder))
        case .failed: self = .failed(try Failure(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .started(let value):
            try container.encode(Kind.started, forKey: .event)
            try value.encode(to: encoder)
        case .progress(let value):
            try container.encode(Kind.progress, forKey: .event)
            try value.encode(to: encoder)
        case .finished(let value):
            try container.encode(Kind.finished, forKey: .event)
            try value.encode(to: encoder)
        case .failed(let value):
            try container.encode(Kind.failed, forKey: .event)
            try value.encode(to: encoder)
        }
    }
}
