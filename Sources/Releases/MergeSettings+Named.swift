internal import Foundation
internal import WorkerProtocol

extension MergeSettings {
    /// All settings as text, by the names that they have in the configuration.
    var named: [String: String] {
        guard let data = try? JSON.encode(self),
            let values = try? JSONDecoder().decode([String: SettingText].self, from: data)
        else { return [:] }
        let pairs = values.map { ($0.key.replacing("_", with: "-"), $0.value.text) }
        return Dictionary(pairs) { first, _ in first }
    }
}

/// One setting as text, whatever it is.
private struct SettingText: Decodable {
    var text: String

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let flag = try? value.decode(Bool.self) {
            text = flag ? "yes" : "no"
        } else if let number = try? value.decode(Int64.self) {
            text = String(number)
        } else if let number = try? value.decode(Double.self) {
            text = "\(number)"
        } else {
            text = (try? value.decode(String.self)) ?? "see \(ReleaseContents.recordName)"
        }
    }
}
