import Testing
import WorkerProtocol

@Suite struct VisibleControlsTests {
    @Test(arguments: [
        ("sst2 größer 数据", "sst2 größer 数据"), ("\u{1B}[2J", "\\u{1b}[2J"), ("a\rb\tc\u{7}", "a\\u{d}b\\u{9}c\\u{7}"),
        ("x\u{202E}y\u{2066}", "x\\u{202e}y\\u{2066}"), ("\u{9B}31m", "\\u{9b}31m"), ("a\u{2028}b", "a\\u{2028}b"),
        ("a\nb", "a\\u{a}b"), ("", ""),
    ])
    func whatSteersATerminalIsShown(text: String, visible: String) {
        #expect(text.withVisibleControls() == visible)
    }

    @Test func linesStayWhereTheyAreWanted() {
        #expect("a\nb\r".withVisibleControls(keepingLines: true) == "a\nb\\u{d}")
    }
}
