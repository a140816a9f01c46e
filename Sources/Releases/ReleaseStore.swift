internal import Files
internal import Foundation
package import Signing

/// The deploy directory: staging, numbered immutable releases, `current`, `CURRENT.json`. One writer at a time.
///
/// Nothing is held in memory: each call reads what is on the disk. `.numbers.json` remembers the highest number ever used and
/// whether its publishing is still under way, so that numbers are never used twice and a crash can be told from a success.
package struct ReleaseStore: Sendable {
    /// Absolute path of the deploy directory.
    package var deploy: String
    /// Told what failed after `current` was switched: the release is live and stays, and `recover` does the rest.
    package var onTrouble: @Sendable (any Error) -> Void = { _ in }

    /// The key that releases are signed with; nil: they are not. Read at every publish.
    package var signingKey: KeyPlace?

    package init(deploy: String) {
        var path = deploy.hasPrefix("/") ? deploy : "\(FileManager.default.currentDirectoryPath)/\(deploy)"
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.deploy = path
    }

    var versions: String { "\(deploy)/versions" }
    var stagings: String { "\(deploy)/.staging" }
    var link: String { "\(deploy)/current" }
    var pointerFile: String { "\(deploy)/CURRENT.json" }
    var numbersFile: String { "\(deploy)/.numbers.json" }

    func directory(of version: Int) -> String { "\(versions)/\(version)" }

    /// No deploy directory comes near it; what claims more is garbage.
    static let highestNumber = 1_000_000_000_000

    /// The number that a name in `versions/` stands for; nil for anything that this program would not write.
    static func number(_ name: some StringProtocol) -> Int? {
        guard let number = Int(name), (1...highestNumber).contains(number), String(number) == String(name) else {
            return nil
        }
        return number
    }
}
