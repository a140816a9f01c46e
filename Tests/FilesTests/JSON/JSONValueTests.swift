import Files
import Foundation
import Testing

@Suite struct JSONValueTests {
    @Test func numbersKeepTheirKindOverARoundTrip() throws {
        let list: JSONValue = .array([.integer(3), .number(0.25), .bool(true), .null, .string("3")])
        #expect(try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(list)) == list)
    }

    @Test(arguments: [(Double.infinity, "Infinity"), (-.infinity, "-Infinity"), (.nan, "NaN"), (1, "1.0")])
    func namesANumberAsPythonWritesIt(_ value: Double, _ text: String) {
        #expect(JSONValue.number(value).phrase == text)
    }
}
