import ExportedGraph
import Foundation

/// Writes small archives, whole or damaged in one place.
struct HostileArchive {
    struct Entry {
        var name: String
        var content: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        /// What the table of contents says instead of the truth.
        var claimedSize: UInt32?
        var claimedPackedSize: UInt32?
        var claimedOffset: UInt32?
        var extra: [UInt8] = []

        init(_ name: String, _ text: String) {
            self.name = name
            content = Array(text.utf8)
        }
    }

    static let emptyConfig = #"{"config":{}}"#

    /// A graph of one parameter and one input that returns their product.
    static let model = """
        {"schema_version":{"major":8,"minor":20},"graph_module":{"signature":{"input_specs":[\
        {"parameter":{"arg":{"name":"p_w"},"parameter_name":"w"}},\
        {"user_input":{"arg":{"as_tensor":{"name":"x"}}}}],\
        "output_specs":[{"user_output":{"arg":{"as_tensor":{"name":"mul"}}}}]},\
        "graph":{"inputs":[{"as_tensor":{"name":"p_w"}},{"as_tensor":{"name":"x"}}],\
        "outputs":[{"as_tensor":{"name":"mul"}}],"nodes":[{"target":"torch.ops.aten.mul.Tensor","name":"mul",\
        "inputs":[{"name":"self","arg":{"as_tensor":{"name":"x"}}},{"name":"other","arg":ARGUMENT}],\
        "outputs":[{"as_tensor":{"name":"mul"}}],"metadata":{}}],"tensor_values":{"p_w":META,"x":META,"mul":META},\
        "sym_int_values":{},"sym_bool_values":{}}}}
        """

    static let meta = """
        {"dtype":7,"sizes":[{"as_expr":{"expr_str":"s0"}},{"as_int":2}],"strides":[{"as_int":2},{"as_int":1}],\
        "storage_offset":{"as_int":0},"requires_grad":false,"device":{"type":"cpu"},"layout":7}
        """

    static func model(_ argument: String = #"{"as_tensor":{"name":"p_w"}}"#) -> String {
        model.replacing("META", with: meta).replacing("ARGUMENT", with: argument)
    }

    var entries: [Entry]
    var comment: [UInt8] = []
    var claimedCount: UInt16?
    var claimedDirectoryOffset: UInt32?
    var claimedDirectorySize: UInt32?

    init(_ model: String = Self.model()) {
        entries = [
            Entry("g/models/model.json", model),
            Entry("g/data/weights/model_weights_config.json", Self.emptyConfig),
            Entry("g/byteorder", "little"),
        ]
    }

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = UInt32(file.count)
            let name = Array(entry.name.utf8)
            let size = UInt32(entry.content.count)
            let kind = little(entry.flags) + little(entry.method) + [UInt8](repeating: 0, count: 8)
            file += little(0x0403_4B50 as UInt32) + little(20 as UInt16) + kind + little(size) + little(size)
            file += little(UInt16(name.count)) + little(0 as UInt16) + name + entry.content
            directory += little(0x0201_4B50 as UInt32) + little(20 as UInt16) + little(20 as UInt16) + kind
            directory += little(entry.claimedPackedSize ?? entry.claimedSize ?? size)
            directory += little(entry.claimedSize ?? size)
            directory += little(UInt16(name.count)) + little(UInt16(entry.extra.count)) + little(0 as UInt16)
            directory += [UInt8](repeating: 0, count: 8) + little(entry.claimedOffset ?? offset) + name + entry.extra
        }
        let start = UInt32(file.count)
        file += directory + little(0x0605_4B50 as UInt32) + little(0 as UInt32)
        file += little(claimedCount ?? UInt16(entries.count)) + little(claimedCount ?? UInt16(entries.count))
        file += little(claimedDirectorySize ?? UInt32(directory.count)) + little(claimedDirectoryOffset ?? start)
        return file + little(UInt16(comment.count)) + comment
    }

    /// Writes `bytes` (the archive's own by default), reads them back as a graph and removes the file.
    func read(_ bytes: [UInt8]? = nil) throws -> ExportedGraph {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).pt2").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes ?? self.bytes).write(to: URL(fileURLWithPath: path))
        return try ExportedGraph(archive: path)
    }

    private func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
}
