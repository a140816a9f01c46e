import Reliability
import Testing

extension OutcomeCounter {
    /// Expects that a drop is refused with this code (nil: that it is accepted), and notes how it ended.
    func expect(_ code: String?, is expected: String?, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(code == expected, sourceLocation: sourceLocation)
        try note(refused: code != nil, asExpected: code == expected)
    }
}
