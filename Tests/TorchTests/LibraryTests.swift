import Foundation
import Testing

@testable import Torch

/// The list of the functions that are passed on to the library that links libtorch.
@Suite struct LibraryTests {
    private static let headers = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/CTorch/include")

    private func names(_ files: [URL], _ pattern: Regex<(Substring, Substring)>) throws -> [String] {
        try files.flatMap { file in
            try String(contentsOf: file, encoding: .utf8).matches(of: pattern).map { String($0.output.1) }
        }.sorted()
    }

    @Test func theListHoldsWhatTheHeadersDeclare() throws {
        let own = ["ct_functions.h", "ct_library.h"]
        let headers = try FileManager.default.contentsOfDirectory(at: Self.headers, includingPropertiesForKeys: nil)
            .filter { !own.contains($0.lastPathComponent) }
        let declared = try names(headers, /(ct_\w+)\([^;{]*CT_NOEXCEPT;/)
        let listed = try names([Self.headers.appending(path: "ct_functions.h")], /F\([^,]*, (ct_\w+),/)
        #expect(declared.count > 30)
        #expect(listed == declared)
    }

    @Test func theLibraryIsFoundBesideTheProgram() throws {
        try TorchRuntime.load()
        #expect(TorchRuntime.isLoaded)
        #expect(try Tensor([1, 2] as [Float], shape: [2]).floats() == [1, 2])
    }

    /// Those of Debian 12's libtorch, which it names and does not use.
    @Test func librariesThatLibtorchDoesNotUseAreNotLoaded() throws {
        try TorchRuntime.load()
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
        let mapped = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        guard mapped.contains("libtorch_cpu.so.1.13") else { return print("skipped: libtorch is not Debian 12's") }
        for unused in ["/libopencv_", "/libavcodec", "/libzmq", "/libleveldb"] {
            #expect(!mapped.contains(unused), "\(unused) is loaded")
        }
    }
}
