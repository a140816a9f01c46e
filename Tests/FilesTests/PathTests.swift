import Files
import Testing

@Suite struct PathTests {
    @Test(arguments: [
        ("a/b", "a", "b"), ("b", ".", "b"), ("/b", "/", "b"), ("/a/b//", "/a", "b"), ("/", "/", ""),
        ("a//b", "a/", "b"),
        ("a/\u{301}b", "a", "\u{301}b"), ("a\u{601}/b", "a\u{601}", "b"), ("a/\u{301}/", "a", "\u{301}"),
    ])
    func aPathIsSplitWhereTheKernelSplitsIt(path: String, directory: String, name: String) {
        let split = path.splitPath
        #expect(split.directory == directory)
        #expect(Array(split.name.utf8) == Array(name.utf8))
    }

    @Test func marksHideNoEnding() {
        #expect("x\u{601}.tmp".ends(in: ".tmp") && "tmp".ends(in: "tmp") && "x".ends(in: ""))
        #expect(!"tmp".ends(in: ".tmp") && !".tmp\u{301}".ends(in: ".tmp"))
    }

    @Test func marksHideNoSlash() {
        #expect("a\u{601}/../\u{301}b//c/".pathNames == ["a\u{601}", "..", "\u{301}b", "c"])
        #expect("//".pathNames.isEmpty)
    }
}
