import Testing

@testable import Daemon

struct MemoryTrimTests {
    @Test func onlyCodeFromFilesIsDropped() {
        #expect(MemoryTrim.codeRange("7f00-8f00 r-xp 00000000 fe:00 12 /usr/lib/libc.so.6") == 0x7f00..<0x8f00)
        for line in [
            "7f00-8f00 r--p 00000000 fe:00 12 /usr/lib/libc.so.6",
            "7f00-8f00 rw-p 00000000 fe:00 12 /usr/lib/libc.so.6",
            "7f00-8f00 rwxp 00000000 fe:00 12 /usr/lib/libc.so.6", "7f00-8f00 r-xp 00000000 00:00 0 [vdso]",
            "7f00-8f00 r-xp 00000000 00:00 0", "8f00-7f00 r-xp 00000000 fe:00 12 /x", "", "-",
        ] {
            #expect(MemoryTrim.codeRange(line) == nil, "\(line)")
        }
    }

    @Test func theProgramGoesOnAfterATrim() {
        MemoryTrim.now()
        #expect(McNemar.pValue(gained: 5, lost: 5) == 1)
    }
}
