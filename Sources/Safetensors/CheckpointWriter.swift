internal import Files

/// Writes a model as `model.safetensors`, or as shards with their index, in the Hugging Face layout.
package final class CheckpointWriter {
    package struct Output: Hashable, Sendable {
        package var name: String
        package var bytes: Int64
        package var sha256: String

        package init(name: String, bytes: Int64, sha256: String) {
            self.name = name
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    /// Slots of one file.
    private struct Shard {
        var name = ""
        var slots: [SafetensorsWriter.Slot] = []
        /// Of the tensors.
        var bytes: Int64 = 0
        /// Of the file, at most.
        var length = SafetensorsWriter.headerLength
    }

    private let directory: String
    private let shards: [Shard]
    private var shard = 0
    private var slot = 0
    /// Bytes of the current tensor that have not come yet.
    private var missing: Int64 = 0
    private var writer: SafetensorsWriter?
    private var outputs: [Output] = []

    /// Tensors are then appended whole and in this order (a large one may come in pieces). No file is longer than
    /// `shardBytes`, its header included, but for a tensor that is larger alone: it gets a shard to itself.
    package init(
        directory: String, slots: [SafetensorsWriter.Slot], shardBytes: Int64 = 5_000_000_000
    ) throws(SafetensorsError) {
        self.directory = directory
        shards = try Self.plan(directory: directory, slots: slots, shardBytes: shardBytes)
        try openShard()
        try skipFinishedTensors()
    }

    /// Appends the next bytes of the current tensor; they may not reach into the next.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
        guard bytes.count > 0 else { return }
        guard let writer, Int64(bytes.count) <= missing else {
            throw .unwritable(path: directory, reason: "more bytes came for a tensor than its shape has")
        }
        unsafe try writer.append(bytes)
        missing -= Int64(bytes.count)
        if missing == 0 {
            slot += 1
            try skipFinishedTensors()
        }
    }

    /// Checks that every tensor has come, writes the index where there are shards, and returns every file written.
    package func finish() throws(SafetensorsError) -> [Output] {
        guard shard == shards.count else {
            throw .unwritable(path: directory, reason: "tensors are missing that were announced")
        }
        if shards.count > 1 { try writeIndex() }
        return outputs
    }

    /// Moves on to the next slot that awaits bytes, closing shards that are full.
    private func skipFinishedTensors() throws(SafetensorsError) {
        while shard < shards.count {
            while slot < shards[shard].slots.count {
                let next = shards[shard].slots[slot]
                missing = HeaderParser.byteCount(next.dtype, next.shape) ?? 0
                if missing > 0 { return }
                slot += 1
            }
            if let result = try writer?.finish() {
                outputs.append(Output(name: shards[shard].name, bytes: result.bytes, sha256: result.sha256))
            }
            writer = nil
            shard += 1
            slot = 0
            if shard < shards.count { try openShard() }
        }
    }

    private func openShard() throws(SafetensorsError) {
        writer = try SafetensorsWriter(path: "\(directory)/\(shards[shard].name)", slots: shards[shard].slots)
    }

    private func writeIndex() throws(SafetensorsError) {
        let total = shards.reduce(0) { $0 + $1.bytes }
        let map = shards.flatMap { shard in shard.slots.map { ($0.name, shard.name) } }.sorted { $0.0 < $1.0 }
        let lines = map.map { "    \(JSONText.quoted($0.0)): \(JSONText.quoted($0.1))" }.joined(separator: ",\n")
        let text = "{\n  \"metadata\": {\n    \"total_size\": \(total)\n  },\n  \"weight_map\": {\n\(lines)\n  }\n}\n"
        let bytes = Array(text.utf8)
        do throws(FilesError) {
            let file = try WritableFile(creating: "\(directory)/\(ShardIndex.fileName)")
            try file.append(bytes)
            try file.finish(sync: false)
        } catch {
            throw .file(error)
        }
        outputs.append(
            Output(name: ShardIndex.fileName, bytes: Int64(bytes.count), sha256: Digest.sha256(bytes)))
    }

    private static func plan(
        directory: String, slots: [SafetensorsWriter.Slot], shardBytes: Int64
    ) throws(SafetensorsError) -> [Shard] {
        guard shardBytes > 0 else {
            throw .unwritable(
                path: directory, reason: "files of at most \(shardBytes) bytes hold nothing; allow more for each")
        }
        var shards = [Shard()]
        var names: Set<String> = []
        for slot in slots {
            guard names.insert(slot.name).inserted else {
                throw .unwritable(path: directory, reason: "tensor \(quoted(slot.name)) comes twice")
            }
            guard let bytes = HeaderParser.byteCount(slot.dtype, slot.shape), bytes <= Int64.max / 2 else {
                throw .unwritable(path: directory, reason: "tensor \(quoted(slot.name)) has an impossible shape")
            }
            let last = shards[shards.count - 1]
            let length = bytes + SafetensorsWriter.headerLength(of: slot)
            let isFull = last.length > shardBytes - length || last.slots.count == HeaderParser.maximumTensors
            if isFull, !last.slots.isEmpty { shards.append(Shard()) }
            shards[shards.count - 1].slots.append(slot)
            shards[shards.count - 1].bytes += bytes
            shards[shards.count - 1].length += length
        }
        for place in shards.indices {
            shards[place].name =
                shards.count == 1
                ? ShardIndex.singleName : "model-\(padded(place + 1))-of-\(padded(shards.count)).safetensors"
        }
        return shards
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
}
