import Files
import Foundation
import Ledger

/// An instant query of Prometheus' HTTP API (`/api/v1/query`), and the bounds of its values.
package struct PrometheusQuery: Hashable, Sendable {
    /// Where the server answers, such as `http://prometheus:9090`.
    package var address: HTTPAddress
    package var headers: [String: String]
    /// PromQL that gives a scalar or an instant vector, with placeholders.
    package var expression: String
    package var minimum: Double?
    package var maximum: Double?

    package init(
        address: HTTPAddress, headers: [String: String] = [:], expression: String, minimum: Double? = nil,
        maximum: Double? = nil
    ) {
        self.address = address
        self.headers = headers
        self.expression = expression
        self.minimum = minimum
        self.maximum = maximum
    }

    /// The call that asks it.
    func request(_ values: HookValues) -> HookRequest {
        var address = address
        while address.target.hasSuffix("/") { address.target.removeLast() }
        address.target += "/api/v1/query?query=" + HTTPAddress.encoded(values.fill(expression))
        return HookRequest(method: "GET", address: address, headers: headers)
    }

    /// What an answer's body says: every sample must lie within the bounds. An answer without samples, or with one that
    /// is no number, is no answer.
    func judge(_ body: [UInt8]) -> CheckAnswer {
        guard let answer = try? JSONValue(parsing: body, .python) else {
            return .silent("the answer is not JSON: is this the address of Prometheus?")
        }
        guard answer.members["status"]?.text == "success" else {
            let reason = answer.members["error"]?.text ?? "its status is not success"
            return .silent("Prometheus can't answer: \(reason)")
        }
        let data = answer.members["data"]?.members ?? [:]
        let samples: [(labels: String, value: JSONValue?)]
        switch data["resultType"]?.text {
        case "scalar": samples = [("", data["result"]?.elements.last)]
        case "vector":
            samples = (data["result"]?.elements ?? []).map { sample in
                (Self.labels(sample.members["metric"]?.members ?? [:]), sample.members["value"]?.elements.last)
            }
        case let type:
            return .silent("the expression gives a \(type ?? "value of no type"): expected a scalar or a vector")
        }
        guard !samples.isEmpty else { return .silent("the expression gives no sample") }
        var values: [Double] = []
        for sample in samples {
            guard let value = sample.value?.text.flatMap(Double.init), !value.isNaN else {
                return .silent("the value\(sample.labels) is not a number")
            }
            if let minimum, value < minimum {
                return .failed("\(Gate.text(value))\(sample.labels) is below the minimum \(Gate.text(minimum))")
            }
            if let maximum, value > maximum {
                return .failed("\(Gate.text(value))\(sample.labels) is above the maximum \(Gate.text(maximum))")
            }
            values.append(value)
        }
        let range =
            Set(values).count == 1
            ? Gate.text(values[0]) : "\(Gate.text(values.min() ?? 0)) to \(Gate.text(values.max() ?? 0))"
        return .held("\(range), within its bounds")
    }

    private static func labels(_ labels: [String: JSONValue]) -> String {
        let pairs = labels.sorted { $0.key < $1.key }.compactMap { name, value in value.text.map { "\(name)=\"\($0)\"" }
        }
        return pairs.isEmpty ? "" : " of {\(pairs.joined(separator: ", "))}"
    }
}
