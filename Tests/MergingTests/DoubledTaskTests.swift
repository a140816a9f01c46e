import Testing

@testable import Merging

/// Two tasks that are one training run.
@Suite struct DoubledTaskTests {
    @Test func areNamedWhereTheirVectorsAreNearlyOne() {
        var similarity = Similarity()
        similarity["a", "b"] = 0.9996
        similarity["a", "c"] = 0.4
        similarity["b", "gone"] = 1
        let notes = similarity.doubles(among: ["a", "b", "c"])
        #expect(notes.count == 1)
        #expect(notes.first?.hasPrefix("a and b are nearly one fine-tune (cosine of their task vectors 0.999)") == true)
    }
}
