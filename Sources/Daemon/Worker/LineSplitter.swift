/// Cuts a stream of bytes into lines of bounded length.
struct LineSplitter {
    /// Bytes that a line may have; longer ones are dropped and counted.
    let limit: Int
    private(set) var dropped = 0
    private var partial: [UInt8] = []
    private var isOverlong = false

    init(limit: Int) { self.limit = limit }

    /// Takes bytes in and gives the lines that they complete, without line breaks and empty lines.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if let line = finish() { lines.append(line) }
            } else if partial.count < limit {
                partial.append(byte)
            } else {
                isOverlong = true
            }
        }
        return lines
    }

    /// The last line, where the stream ended without a line break.
    mutating func finish() -> [UInt8]? {
        defer {
            partial.removeAll(keepingCapacity: partial.count < 1 << 16)
            isOverlong = false
        }
        if isOverlong { dropped += 1 }
        return isOverlong || partial.isEmpty ? nil : partial
    }
}
