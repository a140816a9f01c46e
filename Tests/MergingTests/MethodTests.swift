import Files
import Testing
import Torch
import WorkerProtocol

@testable import Merging

/// TIES and DARE: what is written, to the byte, and the search for λ.
@Suite(.serialized)
struct MethodTests {
    private static let ties = Fixture.root + "/ties"
    private static let names = ["one", "three", "two"]

    /// The three tasks of the fixture's model without a graph.
    private func plan(in directory: String, _ method: MergeSettings.Method) throws -> MergePlan {
        var settings = MergeSettings()
        settings.method = method
        settings.threads = 1
        for name in ["base"] + Self.names {
            try Durable.createDirectories("\(directory)/\(name)")
            let tensors = try ModelFolder(at: Self.ties).tensors("\(name).safetensors")
            try ModelFolder(at: "\(directory)/\(name)").write(tensors)
        }
        try Durable.createDirectories(directory + "/output")
        try Durable.createDirectories(directory + "/scratch")
        let tasks = Self.names.map {
            TaskSource(name: $0, directory: "\(directory)/\($0)", files: [], digest: $0, settings: TaskSettings())
        }
        return MergePlan(
            merge: "test", base: BaseSource(directory: directory + "/base", files: [], digest: "base"), tasks: tasks,
            settings: settings, output: directory + "/output", scratch: directory + "/scratch")
    }

    private func merged(_ plan: MergePlan) throws -> [String: ModelFolder.Content] {
        _ = try MergeRun(plan, report: { _ in }).run()
        return try ModelFolder(at: plan.output).tensors()
    }

    @Test func everyMethodIsImplementedOnce() {
        #expect(MergeMethods.all.map { $0.method.rawValue } == MergeSettings.Method.allCases.map(\.rawValue))
    }

    @Test(arguments: ["1.0", "0.5", "0.2", "1e-06"], ["1.0", "0.7"])
    func tiesEqualsAReferenceThatSortsBitForBit(density: String, scale: String) throws {
        let expected = try ModelFolder(at: Self.ties).tensors("merged.safetensors")
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory, .ties)
            plan.settings.density = Double(density)
            plan.settings.scale = try #require(Double(scale))
            let got = try merged(plan)
            #expect(got.count == 4)
            for (name, content) in got {
                let want = try #require(expected["\(density)/\(scale)/\(name)"])
                #expect(content.bytes == want.bytes && content.dtype == want.dtype, "\(name)")
            }
        }
    }

    @Test(arguments: ["1.0", "0.5", "0.2", "1e-06"])
    func thresholdsHaveTheRankThatSortingGives(density: String) throws {
        let expected = try ModelFolder(at: Self.ties).tensors("merged.safetensors")
        let wanted = try #require(expected[density + "/thresholds"]).values(Float.self)
        try Fixture.temporarily { directory in
            let context = try MergeContext(try plan(in: directory, .ties))
            try context.vectors.findZeros { _ in }
            let share = try #require(Double(density))
            #expect(try context.vectors.tiesThresholds(share: share) { _, _ in } == wanted)
        }
    }

    @Test(arguments: [MergeSettings.Method.tsv, .isoC, .isoCTS])
    func methodsOfMatricesEqualNumPy(method: MergeSettings.Method) throws {
        let expected = try ModelFolder(at: Self.ties).tensors("matrices.safetensors")
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory, method)
            plan.settings.scale = 1
            for (name, content) in try merged(plan) {
                let want = try #require(expected["\(method.rawValue)/\(name)"]).values(Float.self)
                let got =
                    content.dtype == .bf16
                    ? content.values(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
                    : content.values(Float.self)
                #expect(got.count == want.count)
                // Half is stored as bfloat16, with 8 bits.
                let tolerance: Float = name == "half" ? 1.0 / 256 : 1e-5
                for (got, want) in zip(got, want) {
                    #expect(abs(got - want) <= tolerance * max(1, abs(want)), "\(name)")
                }
            }
        }
    }

    /// λ scales what the method changes, and adapters' sums, whose rank is low, stay finite.
    @Test(arguments: [MergeSettings.Method.tsv, .isoC, .isoCTS])
    func methodsOfMatricesKeepToTheDirectionsThatTasksHave(method: MergeSettings.Method) throws {
        let left = try Tensor((0..<6).map { Float($0) - 2 }, shape: [6, 1])
        let right = try Tensor([1, -1, 2, 0.5], shape: [1, 4])
        let one = try left.matrixProduct(right)
        let other = try one.multiplied(by: 0.5)
        let combined =
            switch method {
            case .tsv: try TSV.combined([one, other])
            case .isoC: try IsoC.combined([one, other])
            default: try IsoCTS.combined([one, other])
            }
        // Every direction of the result is that of `one`.
        let ratio = try combined.dot(one) / one.dot(one)
        let rest = try combined.subtracting(one, alpha: ratio)
        #expect(ratio > 0.5 && ratio.isFinite)
        #expect(try rest.dot(rest).squareRoot() < 1e-4 * combined.dot(combined).squareRoot() || method == .tsv)
        #expect(try combined.isFinite())
    }

    @Test func dareThatDropsNothingIsTaskArithmetic() throws {
        try Fixture.temporarily { directory in
            var plan = try plan(in: directory, .dare)
            plan.settings.density = 1
            let dare = try merged(plan)
            plan.settings.method = .taskArithmetic
            try Durable.remove(plan.output)
            try Durable.createDirectories(plan.output)
            let sum = try merged(plan)
            #expect(dare.mapValues(\.bytes) == sum.mapValues(\.bytes))
        }
    }

    /// What is kept is doubled, and about half is kept; another task's or seed's draw is another.
    @Test func dareKeepsAShareAndRescalesIt() throws {
        let count = 20_000
        let origin = try Tensor([Float](repeating: 1, count: count), shape: [count])
        let vector = try Tensor([Float](repeating: 2, count: count), shape: [count])
        let drawn = try dare(origin, vector, share: 0.25, seed: 1)
        #expect(Set(drawn) == [1, 5])
        let kept = drawn.count { $0 == 5 }
        #expect(abs(Double(kept) / Double(count) - 0.25) < 0.01)
        #expect(try dare(origin, vector, share: 0.25, seed: 1) == drawn)
        #expect(try dare(origin, vector, share: 0.25, seed: 2) != drawn)
    }

    @Test func theDrawsDoNotDependOnHowATensorIsCut() throws {
        let origin = try Tensor([Float](repeating: 0, count: 5000), shape: [5000])
        let vector = try Tensor((0..<5000).map(Float.init), shape: [5000])
        let whole = try dare(origin, vector, share: 0.5, seed: 3)
        let tail = try Tensor((1777..<5000).map(Float.init), shape: [3223])
        let zeros = try Tensor([Float](repeating: 0, count: 3223), shape: [3223])
        #expect(try dare(zeros, tail, share: 0.5, seed: 3, first: 1777) == Array(whole[1777...]))
    }

    private func dare(_ origin: Tensor, _ vector: Tensor, share: Double, seed: UInt64, first: Int = 0) throws -> [Float]
    {
        let result = try Tensor(empty: origin.shape, .float32)
        try origin.withUnsafeMutableBytes { p in
            try vector.withUnsafeMutableBytes { f in
                try result.withUnsafeMutableBytes { bytes in
                    try MergeKernel.dare(
                        origin: .init(UnsafeRawPointer(p.baseAddress!), .float32),
                        vectors: [.init(UnsafeRawPointer(f.baseAddress!), .float32)], coefficients: [1],
                        seeds: [seed], first: first, elements: origin.elementCount, share: share,
                        into: bytes.baseAddress!, .float32)
                }
            }
        }
        return try result.floats()
    }

    @Test(arguments: [MergeSettings.Method.taskArithmetic, .ties, .dare])
    func theScaleThatIsFoundLosesToNoOther(method: MergeSettings.Method) throws {
        try Fixture.temporarily { directory in
            var plan = try Fixture.plan(Fixture.settings(), in: directory)
            plan.settings.method = method
            plan.settings.searchesScale = true
            let found = try MergeRun(plan, report: { _ in }).run()
            let note = try #require(found.notes.first { $0.hasPrefix("scale ") })
            let scale = try #require(note.split(separator: " ").dropFirst().first.flatMap { Double($0) })
            let best = mean(found)
            for other in [0.1, 0.3, 0.5, 1.0] where other != scale {
                plan.settings.searchesScale = false
                plan.settings.scale = other
                plan.output = "\(directory)/output-\(other)"
                try Durable.createDirectories(plan.output)
                #expect(try mean(MergeRun(plan, report: { _ in }).run()) <= best, "\(other) beats \(scale)")
            }
        }
    }

    private func mean(_ result: MergeResult) -> Double {
        let values = result.tasks.compactMap { $0.merged?.value }
        return values.reduce(0, +) / Double(values.count)
    }
}
