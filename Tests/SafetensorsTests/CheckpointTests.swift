import Files
import Foundation
import Safetensors
import Testing

@Suite struct CheckpointTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private let slots = [
        SafetensorsWriter.Slot(name: "embed.weight", dtype: .f32, shape: [4, 2]),
        SafetensorsWriter.Slot(name: "scale", dtype: .f64, shape: []),
        SafetensorsWriter.Slot(name: "nothing", dtype: .bf16, shape: [0, 3]),
        SafetensorsWriter.Slot(name: "quoted \"é\\", dtype: .u8, shape: [3]),
    ]
    private let contents = [(0..<32).map { UInt8($0) }, [1, 2, 3, 4, 5, 6, 7, 8], [], [7, 8, 9]]

    private func write(shardBytes: Int64 = 1000) throws -> [CheckpointWriter.Output] {
        let writer = try CheckpointWriter(directory: scratch.path, slots: slots, shardBytes: shardBytes)
        for bytes in contents { try bytes.withUnsafeBytes { try writer.append($0) } }
        return try writer.finish()
    }

    private func read(_ checkpoint: Checkpoint, _ name: String) throws -> [UInt8] {
        let entry = try #require(checkpoint.entry(name))
        var bytes = [UInt8](repeating: 0, count: entry.bytes.count)
        try bytes.withUnsafeMutableBytes { try checkpoint.read(name, into: $0) }
        return bytes
    }

    @Test(arguments: [(0, 33), (32, 1), (33, 0), (-1, 2), (.max, 1)] as [(Int64, Int)])
    func aReadPastTheTensorIsAnError(offset: Int64, count: Int) throws {
        _ = try write()
        let checkpoint = try Checkpoint(directory: scratch.path)
        var bytes = [UInt8](repeating: 0, count: count)
        let error = #expect(throws: SafetensorsError.self) {
            try bytes.withUnsafeMutableBytes { try checkpoint.read("embed.weight", at: offset, into: $0) }
        }
        #expect(error?.description.contains("embed.weight") == true)
    }

    @Test(arguments: [(1000, 1), (400, 2), (8, 4), (1, 4)] as [(Int64, Int)])
    func whatIsWrittenIsRead(shardBytes: Int64, files: Int) throws {
        let outputs = try write(shardBytes: shardBytes)
        let checkpoint = try Checkpoint(directory: scratch.path)
        #expect(checkpoint.files.count == files)
        #expect(checkpoint.names == ["embed.weight", "nothing", "quoted \"é\\", "scale"])
        for (slot, bytes) in zip(slots, contents) {
            #expect(try read(checkpoint, slot.name) == bytes)
            #expect(checkpoint.entry(slot.name)?.shape == slot.shape)
            #expect(checkpoint.entry(slot.name)?.dtype == slot.dtype)
        }
        #expect(checkpoint.files.allSatisfy { $0.metadata == ["format": "pt"] })
        #expect(Set(checkpoint.fileNames) == Set(outputs.map(\.name)))
        #expect(Set(try Durable.list(scratch.path)) == Set(checkpoint.fileNames))
        for output in outputs {
            let file = try ReadableFile(path: "\(scratch.path)/\(output.name)")
            #expect(file.size == output.bytes)
            #expect(try file.sha256() == output.sha256)
        }
        for file in checkpoint.files {
            #expect(file.file.size <= shardBytes || file.entries.count == 1, "\(file.file.path)")
        }
        if files > 1 {
            #expect(outputs.first?.name == "model-00001-of-0000\(files).safetensors")
            let index = try Durable.contents(scratch.path + "/model.safetensors.index.json")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(index)) as? [String: Any])
            #expect((object["metadata"] as? [String: Int])?["total_size"] == 43)
            #expect((object["weight_map"] as? [String: String])?.count == 4)
        }
    }

    /// Names of many lengths, and a limit that falls between two tensors: each file is as full as may be.
    @Test func shardsAreNoLongerThanAllowedAndNeedlesslyShort() throws {
        let slots = (0..<200).map { index in
            SafetensorsWriter.Slot(
                name: String(repeating: "é\"", count: index % 37) + "\(index)", dtype: .f32,
                shape: [1, 1 + index % 7, 5])
        }
        let limit: Int64 = 3000
        let writer = try CheckpointWriter(directory: scratch.path, slots: slots, shardBytes: limit)
        var total = 0
        for slot in slots {
            let bytes = [UInt8](repeating: 1, count: 4 * slot.shape.reduce(1, *))
            try bytes.withUnsafeBytes { try writer.append($0) }
            total += bytes.count
        }
        let outputs = try writer.finish()
        let files = try Checkpoint(directory: scratch.path).files
        #expect(files.count == outputs.count - 1 && files.count > 10)
        #expect(files.allSatisfy { $0.file.size <= limit })
        #expect(files.dropLast().allSatisfy { $0.file.size > limit / 2 })
        let index = try Durable.contents(scratch.path + "/model.safetensors.index.json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(index)) as? [String: Any])
        #expect((object["metadata"] as? [String: Int])?["total_size"] == total)
        let map = try #require(object["weight_map"] as? [String: String])
        #expect(Set(map.keys) == Set(slots.map(\.name)))
        for file in files {
            let name = file.file.path.split(separator: "/").last.map(String.init)
            for entry in file.entries { #expect(map[entry.name] == name) }
        }
    }

    @Test(arguments: [0, -1, .min] as [Int64]) func aLimitThatHoldsNothingIsRefused(shardBytes: Int64) throws {
        let error = #expect(throws: SafetensorsError.self) { try write(shardBytes: shardBytes) }
        #expect(error?.description.contains("\(shardBytes) bytes") == true)
        #expect(try Durable.list(scratch.path).isEmpty)
    }

    @Test func headerIsAligned() throws {
        _ = try write()
        let checkpoint = try Checkpoint(directory: scratch.path)
        #expect(checkpoint.files[0].entries.first.map { $0.bytes.lowerBound % 8 } == 0)
    }

    @Test func readsFromTheMiddle() throws {
        _ = try write()
        let checkpoint = try Checkpoint(directory: scratch.path)
        var bytes = [UInt8](repeating: 0, count: 3)
        try bytes.withUnsafeMutableBytes { try checkpoint.read("embed.weight", at: 29, into: $0) }
        #expect(bytes == [29, 30, 31])
        #expect(throws: SafetensorsError.self) {
            try bytes.withUnsafeMutableBytes { try checkpoint.read("absent", into: $0) }
        }
    }

    @Test func tensorInPieces() throws {
        let writer = try CheckpointWriter(directory: scratch.path, slots: slots)
        for bytes in contents {
            for byte in bytes { try [byte].withUnsafeBytes { try writer.append($0) } }
        }
        _ = try writer.finish()
        #expect(try read(Checkpoint(directory: scratch.path), "embed.weight") == contents[0])
    }

    @Test func writerThatGetsTooMuchOrTooLittle() throws {
        let writer = try CheckpointWriter(directory: scratch.path, slots: slots)
        #expect(throws: SafetensorsError.self) {
            try [UInt8](repeating: 0, count: 33).withUnsafeBytes { try writer.append($0) }
        }
        #expect(throws: SafetensorsError.self) { try writer.finish() }
        let single = try SafetensorsWriter(path: scratch.path + "/x", slots: slots)
        #expect(throws: SafetensorsError.self) { try single.finish() }
    }

    @Test func writerOfTheSameNameTwice() throws {
        let twice = [slots[0], slots[0]]
        #expect(throws: SafetensorsError.self) { try SafetensorsWriter(path: scratch.path + "/x", slots: twice) }
        #expect(throws: SafetensorsError.self) { try CheckpointWriter(directory: scratch.path, slots: twice) }
        #expect(try Durable.list(scratch.path).isEmpty)
    }

    @Test func emptyFolder() throws {
        let error = #expect(throws: SafetensorsError.self) { try Checkpoint(directory: scratch.path) }
        if case .missing? = error {} else { Issue.record("\(String(describing: error))") }
    }

    @Test func shardThatHasNotArrived() throws {
        _ = try write(shardBytes: 8)
        try FileManager.default.removeItem(atPath: scratch.path + "/model-00002-of-00004.safetensors")
        let error = #expect(throws: SafetensorsError.self) { try Checkpoint(directory: scratch.path) }
        #expect(error?.description.contains("model-00002-of-00004.safetensors") == true)
    }

    /// An index over two shards with the tensors `a` and `b`.
    private func writeShards(index: String, second: String = "b") throws {
        try scratch.write("s1.safetensors", header: "{\(Scratch.tensor("a", from: 0, count: 1))}", data: 4)
        try scratch.write("s2.safetensors", header: "{\(Scratch.tensor(second, from: 0, count: 1))}", data: 4)
        try scratch.write("model.safetensors.index.json", bytes: Array(index.utf8))
    }

    private let map = "\"a\":\"s1.safetensors\",\"b\":\"s2.safetensors\""

    @Test func wellFormedIndex() throws {
        try writeShards(index: "{\"metadata\":{\"x\":[1,{\"y\":-2.5e3}],\"z\":null},\"weight_map\":{\(map)}}\n")
        #expect(try Checkpoint(directory: scratch.path).names == ["a", "b"])
    }

    @Test(arguments: [
        "{}", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}",
        "{\"weight_map\":{\"a\":\"../s1.safetensors\",\"b\":\"s2.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"/etc/passwd\",\"b\":\"s2.safetensors\"}}",
        "{\"weight_map\":{\"a\":\".s1.safetensors\"}}", "{\"weight_map\":{\"a\":\"s1.bin\"}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\\u0000\"}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\",\"a\":\"s2.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\"},\"weight_map\":{\"b\":\"s2.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"s2.safetensors\",\"b\":\"s1.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\",\"b\":\"s2.safetensors\",\"c\":\"s2.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\",\"c\":\"s2.safetensors\"}}",
        "{\"x\":\(String(repeating: "[", count: 100_000))}",
    ])
    func hostileIndex(index: String) throws {
        try writeShards(index: index)
        let error = #expect(throws: SafetensorsError.self) { try Checkpoint(directory: scratch.path) }
        if case .malformed? = error {} else { Issue.record("\(String(describing: error))") }
    }

    @Test func anIndexMayNameTensorsThatNoShardHolds() throws {
        let names = #""c":"s2.safetensors","d":"s1.safetensors""#
        try writeShards(index: "{\"weight_map\":{\(map),\(names)}}")
        let checkpoint = try Checkpoint(directory: scratch.path, allowsAbsent: true)
        #expect(checkpoint.names == ["a", "b"] && checkpoint.absent == ["c", "d"])
        #expect(checkpoint.renaming { "model." + $0 }?.absent == ["model.c", "model.d"])
        #expect(checkpoint.omitting { $0 == "a" }.absent == ["c", "d"])
    }

    @Test func indexThatIsStillArriving() throws {
        let index = "{\"weight_map\":{\(map)}}"
        for count in 0..<index.utf8.count {
            try writeShards(index: String(index.prefix(count)))
            #expect(throws: SafetensorsError.self, "\(count) bytes") { try Checkpoint(directory: scratch.path) }
        }
        try writeShards(index: index)
        #expect(try Checkpoint(directory: scratch.path).names == ["a", "b"])
    }

    @Test func tensorInTwoShards() throws {
        try writeShards(index: "{\"weight_map\":{\(map)}}", second: "a")
        #expect(throws: SafetensorsError.self) { try Checkpoint(directory: scratch.path) }
    }

    @Test func singleFileBesideAnIndex() throws {
        try writeShards(index: "{\"weight_map\":{\(map)}}")
        try scratch.write(header: "{}")
        #expect(throws: SafetensorsError.self) { try Checkpoint(directory: scratch.path) }
    }

    @Test func weightsThatLinkOutOfTheFolder() throws {
        try scratch.write("blobs/x", header: Array("{}".utf8), data: 0)
        try scratch.write("model/config.json", bytes: [])
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/model/model.safetensors", withDestinationPath: "../blobs/x")
        #expect(throws: SafetensorsError.self) { try Checkpoint(directory: scratch.path + "/model") }
        #expect(try Checkpoint(directory: scratch.path + "/model", root: scratch.path).names == [])
        #expect(try Checkpoint(directory: scratch.path + "/model/", root: "/").names == [])
        #expect(throws: SafetensorsError.self) {
            try Checkpoint(directory: scratch.path + "/model", root: scratch.path + "/mod")
        }
    }
}
