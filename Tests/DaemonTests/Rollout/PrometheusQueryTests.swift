import Foundation
import Testing

@testable import Daemon

/// Answers of Prometheus' query API, as it gives them.
@Suite struct PrometheusQueryTests {
    private func judge(_ body: String, minimum: Double? = 0.8, maximum: Double? = nil) throws -> CheckAnswer {
        PrometheusQuery(
            address: try HTTPAddress("http://127.0.0.1:9090"), expression: "x", minimum: minimum, maximum: maximum
        ).judge(Array(body.utf8))
    }

    private func vector(_ values: String...) -> String {
        let samples = values.map { #"{"metric":{"task":"sst2"},"value":[1700000000.1,"\#($0)"]}"# }
        return #"{"status":"success","data":{"resultType":"vector","result":[\#(samples.joined(separator: ","))]}}"#
    }

    @Test func everySampleHasToLieWithinTheBounds() throws {
        #expect(try judge(vector("0.9")) == .held("0.9, within its bounds"))
        #expect(try judge(vector("0.9", "0.95")) == .held("0.9 to 0.95, within its bounds"))
        #expect(try judge(vector("0.9", "0.5")) == .failed(#"0.5 of {task="sst2"} is below the minimum 0.8"#))
        #expect(
            try judge(vector("7"), minimum: nil, maximum: 5) == .failed(#"7 of {task="sst2"} is above the maximum 5"#))
        let scalar = #"{"status":"success","data":{"resultType":"scalar","result":[1700000000,"0.85"]}}"#
        #expect(try judge(scalar) == .held("0.85, within its bounds"))
        #expect(try judge(vector("+Inf")) == .held("inf, within its bounds"))
    }

    @Test(arguments: [
        "", "<html>", "[]", #"{"status":"success"}"#,
        #"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
        #"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
        #"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
        #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}"#,
        #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}"#,
        #"{"status":"success","data":{"resultType":"vector","result":[{}]}}"#,
    ])
    func whatIsNoAnswerIsNone(body: String) throws {
        guard case .silent(let reason) = try judge(body) else {
            Issue.record("\(body) is taken for an answer")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func theExpressionIsAskedWithItsPlaceholdersFilled() throws {
        let query = PrometheusQuery(
            address: try HTTPAddress("http://prometheus:9090/base/"), expression: #"avg(acc{release="{release}"}) > 0"#,
            minimum: 1)
        let target = query.request(Samples.values(3)).address.target
        #expect(target == "/base/api/v1/query?query=avg%28acc%7Brelease%3D%223%22%7D%29%20%3E%200")
    }
}
