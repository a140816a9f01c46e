/// What came of making a release again from its recorded inputs and coefficients.
package struct Reproduction: Codable, Hashable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        /// Every file came out as it was published.
        case same
        /// Some file came out differently, or is no longer what was published.
        case different
        /// An input that the merge needs is not there as it was.
        case impossible
    }

    /// An input that is not what it was.
    package struct Fault: Codable, Hashable, Sendable {
        package enum State: String, Codable, Sendable { case changed, gone, unreadable }
        /// `base`, or the task's name.
        package var of: String
        package var path: String
        package var state: State
        /// Whether the bytes of the release follow from it; examples had their part in the fit, whose coefficients are
        /// kept.
        package var isNeeded: Bool
    }

    /// One file of the release, by SHA-256.
    package struct Output: Codable, Hashable, Sendable {
        package var name: String
        /// As `release.json` has it.
        package var recorded: String
        /// As it lies in the release now; nil where it can't be read.
        package var released: String?
        /// As it was made anew; nil where it was not made.
        package var recomputed: String?

        package var isSame: Bool { recomputed == recorded && released == recorded }
    }

    package var release: Int
    package var merge: String
    package var outcome: Outcome
    package var inputs: [Fault]
    package var outputs: [Output]
    /// Versions of what computes that differ from those of the release, by name: then and now.
    package var versions: [String: [String]]

    /// The result for people, a line or more.
    package var text: String {
        var lines: [String] = []
        let name = release > 0 ? "release \(release)" : "merge \(merge)"
        switch outcome {
        case .same: lines.append("\(name): the same bytes (\(outputs.map(\.name).joined(separator: ", ")))")
        case .different:
            lines.append("\(name): not the same bytes")
            lines += outputs.filter { !$0.isSame }.map(Self.line)
            lines += versions.sorted { $0.key < $1.key }.map { name, pair in
                "\(name) was \(pair.first ?? "") and is \(pair.last ?? "")"
            }
        case .impossible: lines.append("\(name): can't be made again; put the needed files back")
        }
        lines += inputs.map { fault in
            let owner = fault.of == "base" ? "base" : "task \(fault.of)"
            let role = fault.isNeeded ? "needed" : "not needed: the coefficients are kept"
            return "\(owner): \(fault.path) is \(fault.state.rawValue) (\(role))"
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ output: Output) -> String {
        func short(_ digest: String?) -> String { digest.map { String($0.prefix(12)) } ?? "not there" }
        return "\(output.name): published \(short(output.recorded)), made again \(short(output.recomputed)), "
            + "in the release now \(short(output.released))"
    }
}
