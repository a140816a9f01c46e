import Testing

@testable import Daemon

struct RefusalsTests {
    @Test func blamesOneNewTaskOrTheWholeMerge() {
        var refusals = Refusals()
        refusals.note(mergeOf: ["b"])
        refusals.note(mergeOf: [])
        refusals.note(mergeOf: ["c", "d"])
        refusals.note("a")
        #expect(refusals.sorted == ["a", "b", "the merge"])
        refusals.forget(mergeOf: ["b"])
        #expect(refusals.sorted == ["a"])
        refusals.forget("a")
        #expect(refusals.sorted.isEmpty)
    }

    @Test func tellsEachOnce() {
        var refusals = Refusals()
        refusals.note("a")
        refusals.tell()
        refusals.note("b")
        #expect(refusals.sorted == ["a", "b"])
        refusals.forgetTold()
        #expect(refusals.sorted == ["b"])
        refusals.forgetTold()
        #expect(refusals.sorted == ["b"])
        refusals.forgetAll()
        #expect(refusals.sorted.isEmpty)
    }
}
