/// Durations and sizes as people write them: `5s`, `24h`, `8GiB`.
package enum Quantity {
    private static let durations: [(unit: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    private static let sizes: [(unit: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("B", 1), ("", 1),
    ]

    /// A duration with its unit (ms, s, m, min, h, d), or a plain `0`; nil for anything else.
    package static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        guard let (number, unit) = split(text), let scale = durations.first(where: { $0.unit == unit })?.milliseconds,
            let milliseconds = Int64(exactly: (number * Double(scale)).rounded()), milliseconds <= Int64.max / 1_000_000
        else { return nil }
        return .milliseconds(milliseconds)
    }

    /// A size in bytes with an optional unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB); nil for anything else.
    package static func size(_ text: String) -> Int64? {
        guard let (number, unit) = split(text), let scale = sizes.first(where: { $0.unit == unit })?.bytes else {
            return nil
        }
        return Int64(exactly: (number * Double(scale)).rounded())
    }

    /// The shortest exact form of a duration in one unit.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds == 0 else { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        if seconds >= 3600, seconds.isMultiple(of: 3600) { return "\(seconds / 3600)h" }
        if seconds >= 60, seconds.isMultiple(of: 60) { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    /// The shortest exact form of a size in one unit, binary where two are equally short.
    package static func text(bytes: Int64) -> String {
        let texts = sizes.filter { !$0.unit.isEmpty && bytes.isMultiple(of: $0.bytes) }.map { unit, scale in
            (number: bytes / scale, unit: unit)
        }
        let shortest = texts.filter { $0.number > 0 }.min { String($0.number).count < String($1.number).count }
        return shortest.map { "\($0.number)\($0.unit)" } ?? "\(bytes)B"
    }

    private static func split(_ text: String) -> (number: Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Double(digits), number.isFinite else { return nil }
        return (number, String(unit))
    }
}
