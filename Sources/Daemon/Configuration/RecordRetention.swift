import WorkerProtocol

/// Times for which records have to stay, by the names of the regulation's: never shorter than it asks for, whatever the
/// lengths of the months and years in them.
enum RecordRetention {
    private static let day = Duration.seconds(86_400)
    /// Articles 19 and 26 of Regulation (EU) 2024/1689. The longest six months in a row have 184 days.
    static let sixMonths = day * 184
    /// Article 18. The longest ten years in a row have 3,653 days.
    static let tenYears = day * 3653

    private static let presets = [("6-months", sixMonths), ("10-years", tenYears)]

    static let kind = SettingKind<Duration>(
        "6-months, 10-years, or duration",
        show: { value in
            if let preset = presets.first(where: { $0.1 == value }) { return preset.0 }
            let seconds = value.components.seconds
            return seconds > 0 && seconds.isMultiple(of: 86_400) ? "\(seconds / 86_400)d" : Quantity.text(value)
        },
        read: { text throws(SettingProblem) in
            if let preset = presets.first(where: { $0.0 == text }) { return preset.1 }
            guard let value = Quantity.duration(text) else {
                throw SettingProblem(
                    message: "'\(text)' is not a retention; write 6-months, 10-years or a duration such as 400d")
            }
            return value
        })
}
