internal import Foundation

/// Formats numbers for the report. Non-finite values are allowed.
enum Figure {
    /// Four decimals; a dash for nil.
    static func text(_ value: Double?, decimals: Int = 4) -> String {
        guard let value else { return "–" }
        guard value.isFinite else { return value.isNaN ? "not a number" : value < 0 ? "−∞" : "∞" }
        return String(format: "%.\(decimals)f", value).replacing("-", with: "−")
    }

    /// With its sign.
    static func change(_ value: Double?) -> String {
        guard let value, value.isFinite else { return text(value) }
        return (value >= 0.00005 ? "+" : "") + text(abs(value) < 0.00005 ? 0 : value)
    }

    /// Six significant digits, for losses and axes.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return text(value) }
        return String(format: "%.6g", value == 0 ? 0 : value).replacing("-", with: "−")
    }

    /// A coordinate of a drawing, to a tenth.
    static func place(_ value: Double) -> String {
        guard value.isFinite else { return "0" }
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    static func bytes(_ count: Int64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var size = Double(count)
        var unit = 0
        while size >= 1024, unit < units.count - 1 {
            size /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) bytes" : String(format: "%.1f \(units[unit])", size)
    }

    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
        if seconds < 60 { return String(format: "%.1f s", seconds) }
        let whole = Int(seconds.rounded())
        return whole < 3600
            ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole / 60 % 60) min"
    }

    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
