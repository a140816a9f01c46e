import Foundation
import Testing

/// What starts and merges without libtorch, and what is said where it is needed and is not there.
@Suite struct LibtorchTests {
    private static let library = "libsupermerge-torch.so"

    /// `supermerge` installed by itself, without the library that links libtorch.
    private struct Installation {
        let folder: TemporaryFolder
        var root: String { folder.path }
        var program: String { root + "/bin/supermerge" }

        init() throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: root + "/bin", withIntermediateDirectories: false)
            try FileManager.default.createDirectory(
                atPath: root + "/lib/supermerge", withIntermediateDirectories: true)
            // Not copied by this process: a child that another test starts meanwhile would hold the file open for
            // writing.
            let copy = try Execution.run("/bin/cp", [Programs.merge, program])
            #expect(copy.status == 0, "\(copy.errors)")
        }

        /// Puts a file where `make install` puts the library.
        func add(library source: String) throws {
            try FileManager.default.createSymbolicLink(
                atPath: "\(root)/lib/supermerge/\(library)", withDestinationPath: source)
        }

        /// A base and two tasks of plain weights; returns the arguments of their merge.
        func weights() throws -> [String] {
            for (number, name) in ["base", "one", "two"].enumerated() {
                try FileManager.default.createDirectory(
                    atPath: "\(root)/\(name)", withIntermediateDirectories: false)
                let values = (0..<1 << 18).map { (number == 0 ? 0.5 : Float(number)) * Float($0 % 977) }
                try TensorFile(["weight": .init(values, [512, 512])]).write("\(root)/\(name)/model.safetensors")
            }
            return [
                "merge", "--base", root + "/base", "--task", root + "/one", "--task", root + "/two",
            ]
        }
    }

    /// The shared libraries that the dynamic linker loads when a program starts, one a line.
    private func libraries(_ program: String) throws -> String {
        let run = try Execution.run(program, [], environment: ["LD_TRACE_LOADED_OBJECTS": "1"])
        #expect(run.status == 0 && run.output.contains("libc.so.6"), "\(run.errors)")
        return run.output
    }

    @Test(arguments: [Programs.merge, Programs.daemon, Programs.control]) func noProgramLinksLibtorch(
        program: String
    ) throws {
        let libraries = try libraries(program)
        for name in ["libtorch", "libc10", "blas", "libgomp", Self.library] { #expect(!libraries.contains(name)) }
    }

    @Test(arguments: ["average", "task-arithmetic", "ties", "dare"]) func staticMergesNeedNoLibtorch(
        method: String
    ) throws {
        let alone = try Installation()
        let arguments = try alone.weights() + ["--method", method]
        let merged = try ["1", "3"].map { threads in
            let output = "\(alone.root)/merged\(threads)"
            let run = try Execution.run(
                alone.program, arguments + ["--json", "--threads", threads, "--output", output])
            #expect(run.status == 0, "\(run.errors)")
            let result = try #require(try run.object()["result"] as? [String: Any])
            let versions = try #require(result["versions"] as? [String: String])
            #expect(Set(versions.keys) == ["kernels", "supermerge", "threads"] && versions["threads"] == threads)
            return try TensorFile(path: output + "/model.safetensors").tensors["weight"]?.floats
        }
        #expect(merged[0] == merged[1])
        if method == "average" { #expect(merged[0] == (0..<1 << 18).map { 1.5 * Float($0 % 977) }) }
    }

    @Test func inspectionHelpAndUsageNeedNoLibtorch() throws {
        let alone = try Installation()
        _ = try alone.weights()
        let inspection = try Execution.run(alone.program, ["inspect", alone.root + "/base"])
        #expect(inspection.status == 0 && inspection.output.contains("weight  F32  512×512"), "\(inspection.output)")
        #expect(try Execution.run(alone.program, ["--help"]).status == 0)
        #expect(try Execution.run(alone.program, ["merge"]).status == 2)
    }

    @Test func aMissingLibraryIsOneLineThatSaysWhatToDo() throws {
        let alone = try Installation()
        let run = try Execution.run(alone.program, try alone.weights() + ["--output", alone.root + "/merged"])
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(run.errors.contains(Self.library) && run.errors.contains("make install"), "\(run.errors)")
    }

    @Test func aGraphIsInspectedAndAStaticMergeDoneWithoutScores() throws {
        let alone = try Installation()
        let workshop = try Workshop.shared()
        let inspection = try Execution.run(alone.program, ["inspect", workshop.base, "--json"])
        let graph = try #require(try inspection.object()["graph"] as? [String: Any])
        #expect((graph["fault"] as? String)?.contains(Self.library) == true)
        let run = try Execution.run(
            alone.program,
            [
                "merge", "--base", workshop.base, "--task", workshop.task("amber"), "--method", "average", "--output",
                alone.root + "/merged",
            ])
        #expect(run.status == 0 && run.errors.contains("nothing was scored: \(Self.library)"), "\(run.errors)")
    }

    @Test func aGraphWithoutExamplesNeedsNoLibtorch() throws {
        let alone = try Installation()
        let workshop = try Workshop.shared()
        try FileManager.default.createDirectory(atPath: alone.root + "/amber", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: alone.root + "/amber/model.safetensors",
            withDestinationPath: workshop.task("amber") + "/model.safetensors")
        let run = try Execution.run(
            alone.program,
            [
                "merge", "--base", workshop.base, "--task", alone.root + "/amber", "--method", "average", "--output",
                alone.root + "/merged",
            ])
        #expect(run.status == 0 && !run.errors.contains("libtorch"), "\(run.errors)")
        let digests = try String(contentsOfFile: alone.root + "/merged/release.json", encoding: .utf8)
        #expect(!digests.contains("\"sha256\" : \"\""))
    }

    @Test func anInstalledLibraryIsFoundAndMissingLibtorchIsNamed() throws {
        let installed = try Installation()
        let beside = URL(filePath: Programs.merge).deletingLastPathComponent().appending(path: Self.library)
        try installed.add(library: beside.path)
        let workshop = try Workshop.shared()
        let arguments = ["evaluate", "--model", workshop.base, "--task", workshop.task("amber")]
        let scored = try Execution.run(
            installed.program,
            ["evaluate", "--model", workshop.task("amber")] + arguments[3...] + ["--base", workshop.base])
        #expect(scored.status == 0, "\(scored.errors)")
        for name in ["libtorch_cpu.so", "libtorch_cpu.so.1.13"] {
            try Data().write(to: URL(filePath: "\(installed.root)/\(name)"))
        }
        let paths = [installed.root, ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]].compactMap(\.self)
        let run = try Execution.run(
            installed.program, arguments, environment: ["LD_LIBRARY_PATH": paths.joined(separator: ":")])
        #expect(run.status == 1 && run.errors.split(separator: "\n").count == 1)
        #expect(
            run.errors.contains("apt install libtorch-dev") && run.errors.contains("libtorch_cpu.so"), "\(run.errors)")
    }

    @Test func aLibraryOfAnotherBuildIsRefused() throws {
        let installed = try Installation()
        let libc = try #require(
            try libraries(Programs.merge).split(whereSeparator: \.isWhitespace).first { $0.hasSuffix("/libc.so.6") })
        try installed.add(library: String(libc))
        let run = try Execution.run(
            installed.program, try installed.weights() + ["--output", installed.root + "/merged"])
        #expect(run.status == 1 && run.errors.contains("install both from one build"), "\(run.errors)")
    }
}
