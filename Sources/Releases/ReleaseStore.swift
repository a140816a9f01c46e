internal import Files
internal import Foundation
package import Signing

/// The deploy directory: staging, numbered immutable releases, `current`, `CURRENT.json`. One writer at a time.
///
/// Nothing is held in memory: each call reads what is on the disk. `.numbers.json` remembers the highest number ever
/// used and whether its publishing is still under way, so that numbers are never used twice and a crash can be told
/// from a success.
package struct ReleaseStore: Sendable {
    /// Absolute path of the deploy directory.
    package var deploy: String
    /// Receives errors that occur after `current` was switched. The release stays deployed, and `recover` completes it.
    package var onTrouble: @Sendable (any Error) -> Void = { _ in }

    /// The key that signs releases; nil if releases are not signed. Read at every publish.
    package var signingKey: KeyPlace?

    package init(deploy: String) {
        var path = deploy.hasPrefix("/") ? deploy : "\(FileManager.default.currentDirectoryPath)/\(deploy)"
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.deploy = path
    }

    var versions: String { "\(deploy)/versions" }
    var stagings: String { "\(deploy)/.staging" }
    var link: String { "\(deploy)/current" }
    var candidateLink: String { "\(deploy)/candidate" }
    var pointerFile: String { "\(deploy)/CURRENT.json" }
    var numbersFile: String { "\(deploy)/.numbers.json" }

    func directory(of version: Int) -> String { "\(versions)/\(version)" }

    /// Upper bound for a plausible number; a larger one in `.numbers.json` is ignored as damage.
    static let highestNumber = 1_000_000_000_000

    /// Parses a name in `versions/`; nil if this program would not write it.
    static func number(_ name: some StringProtocol) -> Int? {
        guard let number = Int(name), (1...highestNumber).contains(number), String(number) == String(name) else {
            return nil
        }
        return number
    }
}
