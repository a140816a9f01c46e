import Foundation

/// An installed Python, for what other libraries make of what is written here. `SUPERMERGE_PYTHON` names one, as
/// `Tools/interoperability environment` makes it.
enum Python {
    private static let candidates =
        [ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"]].compactMap(\.self)
        + ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/venv/bin/python3"]

    /// The first that has these modules, in words between spaces.
    static func with(_ modules: String) -> String? {
        candidates.first { path in
            let finding = "import sys, importlib.util; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"
            let arguments = ["-c", finding] + modules.split(separator: " ").map(String.init)
            return FileManager.default.isExecutableFile(atPath: path)
                && (try? Execution.run(path, arguments).status) == 0
        }
    }
}
