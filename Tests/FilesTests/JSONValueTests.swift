import Files
import Foundation
import Testing

@Suite struct JSONValueTests {
    private func value(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    /// As Python's libraries write a factor that changes nothing.
    @Test func aWholeNumberMayBeWrittenWithAPoint() throws {
        #expect(try value("1.0") == .integer(1) && value("1") == .integer(1))
        #expect(try value("1.5") == .number(1.5) && value("1e300") == .number(1e300))
    }

    @Test func numbersKeepTheirKindOverARoundTrip() throws {
        let list: JSONValue = .array([.integer(3), .number(0.25), .bool(true), .null, .string("3")])
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(list)) == list)
    }
}
