import Foundation
import Testing

@testable import Torch

@Suite(.serialized) struct TorchRuntimeTests {
    @Test func versionsNameLibtorchBlasAndThreads() throws {
        try TorchRuntime.load()
        let versions = TorchRuntime.versions()
        #expect(versions["libtorch"]?.isEmpty == false)
        #expect(versions["blas"]?.isEmpty == false)
        #expect(Int(versions["threads"] ?? "") != nil)
    }

    /// In a process of its own: the thread count is the whole process's.
    @Test func setsThreadCountInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            try TorchRuntime.load()
            for count in [1, 2] {
                try TorchRuntime.setThreads(count)
                #expect(TorchRuntime.versions()["threads"] == "\(count)")
            }
        }
    }

    /// In a process of its own: the allocator is the whole process's. Without the setting the first freed block teaches
    /// the allocator to keep those after it, and the small ones between them hold them in place.
    @Test func returnsLargeFreedBlocksInOwnProcess() async {
        await #expect(processExitsWith: .success) {
            try TorchRuntime.load()
            TorchRuntime.returnFreedMemory()
            func resident() throws -> Int {
                let sizes = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
                return try #require(sizes.count > 1 ? Int(sizes[1]) : nil) * Int(sysconf(Int32(_SC_PAGESIZE)))
            }
            _ = try Tensor.zeros([5 << 20])
            let before = try resident()
            var pins: [Tensor] = []
            try {
                let blocks = try (0..<8).map { _ in
                    let block = try Tensor.zeros([4 << 20])
                    pins.append(try Tensor.zeros([1 << 14]))
                    return block
                }
                #expect(try resident() - before > 100 << 20)
                withExtendedLifetime(blocks) {}
            }()
            #expect(try resident() - before < 16 << 20)
            withExtendedLifetime(pins) {}
        }
    }

    @Test(arguments: [-1, .max]) func refusesImpossibleThreadCount(count: Int) {
        #expect(throws: TorchError.self) { try TorchRuntime.setThreads(count) }
    }

    @Test func autocastMultipliesInBfloat16AndEnds() throws {
        let a = try Tensor.zeros([2, 2])
        let inside = try TorchRuntime.withAutocast(true) {
            try Tensor.one("aten::matmul", [.tensor(a), .tensor(a)]).dtype
        }
        #expect(inside == .bfloat16)
        #expect(try Tensor.one("aten::matmul", [.tensor(a), .tensor(a)]).dtype == .float32)
    }

    @Test(arguments: [
        (["/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3"], false),
        (["/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3"], true),
        (["/usr/lib/x86_64-linux-gnu/openblas-serial/libblas.so.3"], true),
        (["/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"], true),
        ([], false),
    ])
    func slowBlasIsAdvisedAgainst(paths: [String], advised: Bool) {
        #expect((BLAS(paths: paths, hasMKL: false).advice != nil) == advised)
        #expect(BLAS(paths: paths, hasMKL: true).advice == nil)
    }
}
