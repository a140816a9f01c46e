import Attacks
import Foundation
import Testing

/// This parser of safetensors against the reference one, over the committed attacks and mutations of them.
@Suite struct DifferentialTests {
    /// A Python that has the safetensors package.
    static let python: String? = {
        let candidates = [ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"], "/usr/bin/python3"]
        return candidates.compactMap(\.self).first { path in
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = ["-c", "import safetensors"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }()

    /// Where this parser is stricter on purpose: a part of its reason → why the difference is meant.
    static let intended: [(reason: String, why: String)] = [
        ("duplicate", "the reference takes the last of two tensors of one name: who looks at the first is deceived"),
        ("twice", "the same for the fields of a tensor"),
        ("a second __metadata__", "the same for the metadata"),
        ("unknown field", "what nobody reads may be a message to somebody else"),
        ("begin with '{'", "the format demands it; the reference skips white space"),
        ("control character", "names go to terminals, logs and paths"),
        ("'..' as a path", "the same"),
        ("without a name", "nothing can be named by it"),
        ("longer than 4096", "memory for names is bounded"),
        ("more than 262144 tensors", "memory and time for tensors are bounded"),
        ("more than 64 numbers", "PyTorch has no more axes"),
        ("element type", "types that no merge can compute with (F8, C64, F4 …)"),
        ("after the closing brace", "only spaces pad a header"),
        ("leading zeros", "JSON has no such numbers"),
    ]

    @Test(.enabled(if: python != nil, "no Python with the safetensors package; SUPERMERGE_PYTHON names one"))
    func everyDifferenceIsIntended() throws {
        let python = try #require(Self.python)
        let folder = FileManager.default.temporaryDirectory.appending(path: "differential-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try Self.files()
        for (number, bytes) in files.enumerated() {
            try Data(bytes).write(to: folder.appending(path: "\(number)"))
        }
        let verdicts = try Self.reference(python, folder.path, count: files.count)
        #expect(verdicts.count == files.count)
        var counts = [String: Int]()
        for (number, verdict) in verdicts.enumerated() {
            let scratch = folder.appending(path: "scratch").path
            let ours = try Attack.safetensors.refusal(of: files[number], scratch: scratch)
            let theirs = verdict == "accepted"
            guard (ours == nil) != theirs else {
                counts[theirs ? "both accept" : "both refuse", default: 0] += 1
                continue
            }
            let text = ours ?? "accepted here, refused there: \(verdict)"
            let meant = Self.intended.first { text.contains($0.reason) }
            #expect(theirs && meant != nil, "\(number): \(text)")
            counts[meant?.reason ?? "other", default: 0] += 1
        }
        print(
            "differential: \(counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))"
        )
    }

    /// The whole files and the headers of the corpus, and mutations of both.
    private static func files() throws -> [[UInt8]] {
        var files: [[UInt8]] = []
        var state: UInt64 = 42
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(limit, 1)
        }
        for sample in CorpusTests.samples() where [.safetensors, .header].contains(sample.attack) {
            let bytes = Array(try Data(contentsOf: URL(filePath: sample.path)))
            let whole = sample.attack == .header ? Attack.file(around: bytes) : bytes
            files.append(whole)
            for _ in 0..<30 where whole.count > 9 && whole.count < 1 << 12 {
                var changed = whole
                for _ in 0...next(2) {
                    changed[8 + next(changed.count - 8)] = Array(#"{}[]",:0129ae\ tu"#.utf8)[next(17)]
                }
                files.append(changed)
            }
        }
        return files
    }

    /// What the reference says of files 0, 1, 2 …: `accepted`, or why not.
    private static func reference(_ python: String, _ folder: String, count: Int) throws -> [String] {
        let program = """
            import sys, safetensors
            for number in range(int(sys.argv[2])):
                try:
                    data = open(f"{sys.argv[1]}/{number}", "rb").read()
                    safetensors.deserialize(data)
                    print("accepted")
                except Exception as error:
                    print("refused: " + str(error).replace("\\n", " ")[:200])
            """
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-c", program, folder, "\(count)"]
        process.environment = ["PYTHONIOENCODING": "utf-8:replace"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
