internal import Adapters
internal import Control
internal import Examples
internal import ExportedGraph
internal import Files
internal import NIOCore
internal import NIOEmbedded
internal import NIOHTTP1
internal import Safetensors
internal import Tasks
internal import Tokenizers
internal import WorkerProtocol

/// A place where bytes that anybody may have sent are read. The committed attacks (`Fuzz/Corpus`) and the fuzzer go
/// through the same calls as the daemon.
package enum Attack: String, CaseIterable, Sendable {
    /// A whole safetensors file.
    case safetensors
    /// The header of a safetensors file alone; its length and as much data as its last number says are put around it.
    case header
    /// A whole torch.export archive.
    case archive
    /// The JSON of an archive's graph alone, in an archive that is otherwise whole.
    case graph
    /// `adapter_config.json`.
    case adapter
    /// `config.json` and whatever else Python reads as JSON.
    case configuration
    /// `task.yaml`.
    case task
    /// What a client of the control socket sends.
    case request
    /// `validation.jsonl`.
    case jsonl
    /// `validation.csv`.
    case csv
    /// `tokenizer.json`, and a text that it encodes.
    case tokenizer
    /// A chat template, and a conversation that it renders.
    case template
    /// A PNG file, as it is and with its checksums corrected.
    case png
    /// A JPEG file.
    case jpeg

    package enum Outcome: String, Sendable { case accepted, refused }

    /// What must never be, whatever the bytes are.
    package struct Broken: Error, CustomStringConvertible {
        package var description: String
    }

    private struct Refused: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    /// Reads `bytes`. Throws `Broken` where what was accepted is not sound, or where a refusal is not fit for a log or
    /// a terminal.
    /// `scratch`: a path for files, which is overwritten.
    package func run(_ bytes: [UInt8], scratch: String) throws -> Outcome {
        try refusal(of: bytes, scratch: scratch) == nil ? .accepted : .refused
    }

    /// The whole safetensors file that `header` reads for these bytes.
    package static func file(around header: [UInt8]) -> [UInt8] { HeaderFile.bytes(header) }

    /// As `run`; gives why the bytes were refused, nil where they were accepted.
    package func refusal(of bytes: [UInt8], scratch: String) throws -> String? {
        do {
            switch self {
            case .safetensors: try Self.check(SafetensorsFile(file: Self.file(bytes, scratch)))
            case .header: try Self.check(SafetensorsFile(file: Self.file(HeaderFile.bytes(bytes), scratch)))
            case .archive: try Self.readGraph(bytes, scratch)
            case .graph: try Self.readGraph(StoredArchive.bytes(graph: bytes), scratch)
            case .adapter: try Self.check(AdapterConfiguration(bytes))
            case .configuration: try Self.check(configuration: bytes)
            case .task: _ = try TaskSettingsFile.parse(bytes)
            case .request:
                guard let request = try Self.request(bytes) else { return "the head is not whole" }
                try Self.check(request)
            case .jsonl: try Self.check(ExampleTable(file: "validation.jsonl", bytes: bytes))
            case .csv: try Self.check(ExampleTable(file: "validation.csv", bytes: bytes))
            case .tokenizer: try Self.encode(Tokenizer(json: bytes))
            case .template: try Self.render(bytes)
            case .png: try Self.decodePNG(bytes)
            case .jpeg: try Self.decode(bytes)
            }
            return nil
        } catch let error as Broken {
            throw error
        } catch {
            let refusal = "\(error)"
            try Self.check(refusal: refusal)
            return refusal
        }
    }

    private static func check(refusal: String) throws {
        guard !refusal.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Broken(description: "a control character in a refusal: \(refusal.debugDescription)")
        }
        guard refusal.utf8.count <= 8 << 10 else {
            throw Broken(description: "a refusal of \(refusal.utf8.count) bytes")
        }
    }

    private static func check(_ file: SafetensorsFile) throws {
        var end: Int64?
        for entry in file.entries {
            guard end == nil || entry.bytes.lowerBound == end, file.entry(entry.name) == entry,
                entry.bytes.upperBound <= file.file.size
            else { throw Broken(description: "tensor \(entry.name.debugDescription) lies at \(entry.bytes)") }
            end = entry.bytes.upperBound
            var room = [UInt8](repeating: 0, count: min(entry.bytes.count, 1 << 16))
            unsafe try room.withUnsafeMutableBytes { unsafe try file.read(entry, into: $0) }
        }
    }

    private static func readGraph(_ bytes: [UInt8], _ scratch: String) throws {
        _ = try file(bytes, scratch)
        let graph = try ExportedGraph(archive: scratch)
        for name in graph.stored.keys.sorted().prefix(16) { _ = try graph.storage(name) }
    }

    private static func check(_ configuration: AdapterConfiguration) throws {
        guard configuration.rank > 0 else { throw Broken(description: "an adapter of rank \(configuration.rank)") }
    }

    /// A value reads back as the one that was written; the readers of single keys get no further than the one for all.
    private static func check(configuration bytes: [UInt8]) throws {
        if case .namesCode(let key)? = BaseFiles.fault(in: bytes) { throw Refused("it names code by \(key)") }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes, .python)
        } catch {
            guard DecoderStart(configuration: bytes) == nil, HeadConfiguration(bytes) == nil else {
                throw Broken(description: "two readings of one text")
            }
            throw Refused(error.reason)
        }
        guard BaseFiles.fault(in: bytes) == nil else { throw Broken(description: "two readings of one text") }
        var written: [UInt8] = []
        value.write(into: &written)
        _ = try JSONValue(parsing: written, .strict)
    }

    /// What the server makes of a connection's first bytes.
    private static func request(_ bytes: [UInt8]) throws -> ControlRequest? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        try channel.pipeline.syncOperations.addHandler(RequestLimit(maximumBytes: ControlRequest.maximumBytes))
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        guard case .head(let head)? = try channel.readInbound(as: HTTPServerRequestPart.self) else { return nil }
        return ControlRequest(head)
    }

    private static func check(_ request: ControlRequest) throws {
        guard request.path.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "/")) }),
            !request.method.contains(" ")
        else {
            throw Broken(description: "a request for \(request.path)")
        }
    }

    private static func file(_ bytes: [UInt8], _ scratch: String) throws -> ReadableFile {
        try Durable.remove(scratch)
        let file = try WritableFile(creating: scratch)
        try file.append(bytes)
        try file.finish(sync: false)
        return try ReadableFile(path: scratch)
    }
}
