/// What the gate found before a release was published, for `release.json` and `report.html`.
package struct GateRecord: Codable, Hashable, Sendable {
    /// One deployed task's paired test against the release before.
    package struct Test: Codable, Hashable, Sendable {
        package var task: String
        /// p of the paired test alone.
        package var p: Double
        /// p after the correction for all tests of this gate; compared with the family-wise level.
        package var adjustedP: Double

        package init(task: String, p: Double, adjustedP: Double) {
            (self.task, self.p, self.adjustedP) = (task, p, adjustedP)
        }
    }

    /// What the team's own program (`gate.command`) answered.
    package struct Command: Codable, Hashable, Sendable {
        package struct Task: Codable, Hashable, Sendable {
            package var metric: String
            package var value: Double
            package var minimum: Double?

            package init(metric: String, value: Double, minimum: Double? = nil) {
                (self.metric, self.value, self.minimum) = (metric, value, minimum)
            }
        }

        package var isAccepted: Bool
        package var reason: String?
        package var tasks: [String: Task]
        /// Wall-clock seconds that it took.
        package var seconds: Double

        package init(isAccepted: Bool, reason: String?, tasks: [String: Task], seconds: Double) {
            (self.isAccepted, self.reason, self.tasks, self.seconds) = (isAccepted, reason, tasks, seconds)
        }
    }

    /// Chance that a candidate which is as good as the deployed release is refused for any of its tasks.
    package var familyWiseLevel: Double
    /// In the order of the tasks' names; those without a paired test are missing.
    package var tests: [Test]
    package var command: Command?

    package init(familyWiseLevel: Double, tests: [Test], command: Command? = nil) {
        (self.familyWiseLevel, self.tests, self.command) = (familyWiseLevel, tests, command)
    }
}
