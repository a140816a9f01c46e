import Files
import Foundation
import Testing

/// `Tools/supermerge_drop.py` in a real Trainer, and a daemon that takes what it wrote.
@Suite struct DropScriptTests {
    private static let python: String? = {
        let finding = "import sys, importlib.util; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"
        let modules = ["torch", "transformers", "accelerate", "safetensors"]
        return ([ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"]].compactMap(\.self) + ["/usr/bin/python3"])
            .first { path in
                FileManager.default.isExecutableFile(atPath: path)
                    && (try? Execution.run(path, ["-c", finding] + modules).status) == 0
            }
    }()

    @Test(
        .enabled(
            if: python != nil,
            "no Python with torch, transformers, accelerate and safetensors; SUPERMERGE_PYTHON names one"))
    func aTrainersCallbackUploadsWhatADaemonAccepts() throws {
        let site = try Site(steps: 5)
        try Durable.remove(site.registry)
        let run = try Execution.run(
            try #require(Self.python), [Programs.package.appending(path: "Tools/check_drop.py").path, site.registry],
            within: .seconds(600))
        #expect(run.status == 0, "\(run.errors)")
        // The Trainer prints its own lines before.
        let last = try #require(run.output.split(separator: "\n").last)
        let tasks = try JSONDecoder().decode([String].self, from: Data(last.utf8))
        #expect(tasks.contains("full"))
        try site.start()
        try site.rescan()
        let accepted = Set(try site.ledger(.accepted).compactMap(\.task))
        let story = try site.ledger(.refused).map(\.message)
        #expect(accepted == Set(tasks), "\(story)")
        let full = try #require(try site.ledger(.accepted).first { $0.task == "full" })
        #expect(full.details["examples"]?.integer == 32)
    }
}
