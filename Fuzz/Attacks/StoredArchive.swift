/// A torch.export archive (a zip of stored entries) around any graph.
enum StoredArchive {
    static func bytes(graph: [UInt8]) -> [UInt8] {
        let entries: [(String, [UInt8])] = [
            ("g/models/model.json", graph),
            ("g/data/weights/model_weights_config.json", Array(#"{"config":{}}"#.utf8)),
            ("g/byteorder", Array("little".utf8)),
        ]
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, content) in entries {
            let place = number(UInt32(file.count))
            let size = number(UInt32(content.count))
            let name = Array(name.utf8)
            // Version 2.0, no flags, stored; time and checksum are not looked at.
            let common =
                number(20 as UInt16) + [UInt8](repeating: 0, count: 12) + size + size + number(UInt16(name.count))
            file += number(0x0403_4B50 as UInt32) + common + number(0 as UInt16) + name + content
            directory += number(0x0201_4B50 as UInt32) + number(20 as UInt16) + common
            directory += [UInt8](repeating: 0, count: 12) + place + name
        }
        let end = number(UInt16(entries.count))
        return file + directory + number(0x0605_4B50 as UInt32) + number(0 as UInt32) + end + end
            + number(UInt32(directory.count)) + number(UInt32(file.count)) + number(0 as UInt16)
    }

    private static func number<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Number(8 * $0)) }
    }
}
