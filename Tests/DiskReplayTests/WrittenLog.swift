import Foundation

/// A log as the kernel writes it, made by hand.
struct WrittenLog {
    static let flush: UInt64 = 1
    static let forced: UInt64 = 2
    static let discard: UInt64 = 4
    static let mark: UInt64 = 8

    private var entries: [[UInt8]] = []

    mutating func write(_ value: UInt8, sector: UInt64, sectors: Int = 1, flags: UInt64 = 0) {
        add([sector, UInt64(sectors), flags, 0], data: [UInt8](repeating: value, count: 512 * sectors))
    }

    mutating func flush() { add([0, 0, Self.flush, 0]) }

    mutating func discard(sector: UInt64, sectors: UInt64) { add([sector, sectors, Self.discard, 0]) }

    mutating func mark(_ name: String) { add([0, 0, Self.mark, UInt64(name.utf8.count + 1)], text: name) }

    /// The whole log; `magic` and `count` for logs that are none.
    func bytes(magic: UInt64 = 0x6a_7366_7773_6872, count: UInt64? = nil) -> Data {
        let head = Self.sector([magic, 1, count ?? UInt64(entries.count), 512])
        return Data(head + entries.flatMap { $0 })
    }

    /// Puts it into a file for as long as `body` runs.
    func withFile<Result>(_ bytes: Data? = nil, _ body: (String) throws -> Result) throws -> Result {
        let path = "\(NSTemporaryDirectory())/sm-log-\(UUID().uuidString)"
        try (bytes ?? self.bytes()).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private mutating func add(_ numbers: [UInt64], text: String = "", data: [UInt8] = []) {
        entries.append(Self.sector(numbers, text) + data)
    }

    private static func sector(_ numbers: [UInt64], _ text: String = "") -> [UInt8] {
        let line =
            numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } } + text.utf8
        return line + [UInt8](repeating: 0, count: 512 - line.count)
    }
}
