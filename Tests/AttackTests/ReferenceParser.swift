import Foundation

/// The reference implementation of safetensors: Python's package, where there is one.
struct ReferenceParser {
    enum Verdict: Hashable {
        /// What it read, as `SafetensorsContent` writes it.
        case accepted(String)
        case refused(String)
    }

    /// A Python that has the package.
    static let python: String? = {
        let candidates = [ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"], "/usr/bin/python3"]
        return candidates.compactMap(\.self).first { (try? output($0, ["-c", "import safetensors"])) != nil }
    }()

    var python: String

    func version() throws -> String {
        try Self.output(python, ["-c", "import safetensors; print(safetensors.__version__, end='')"])
    }

    /// What it says of files 0, 1, 2 … of a folder.
    func verdicts(_ folder: String, count: Int) throws -> [Verdict] {
        let program = """
            import hashlib, sys, safetensors
            for number in range(int(sys.argv[2])):
                try:
                    tensors = safetensors.deserialize(open(f"{sys.argv[1]}/{number}", "rb").read())
                except Exception as error:
                    print("refused", str(error).replace("\\n", " ")[:200])
                    continue
                lines = sorted(
                    f"{name.encode().hex()}:{t['dtype']}:{'x'.join(map(str, t['shape']))}:{hashlib.sha256(bytes(t['data'])).hexdigest()}"
                    for name, t in tensors)
                print("accepted", ";".join(lines))
            """
        return try Self.output(python, ["-c", program, folder, "\(count)"]).split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let rest = words.count > 1 ? words[1] : ""
            return words[0] == "accepted" ? .accepted(rest) : .refused(rest)
        }
    }

    /// Standard output of a Python that ended well.
    private static func output(_ python: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        process.environment = ["PYTHONIOENCODING": "utf-8:replace"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
        return String(decoding: text, as: UTF8.self)
    }
}
