import Foundation

/// A test that can't be made here. On CI, which is root, may mount and trace, and has all packages, that is a failure;
/// `SUPERMERGE_MAY_SKIP` allows it.
package struct Skip: Error, CustomStringConvertible {
    package var description: String

    /// Says why; throws where nothing may be left out.
    package static func note(_ reason: String) throws(Skip) {
        print("skipped: \(reason)")
        let environment = ProcessInfo.processInfo.environment
        guard environment["CI"] == nil || environment["SUPERMERGE_MAY_SKIP"] != nil else {
            throw Skip(description: "on CI nothing is skipped: \(reason)")
        }
    }
}
