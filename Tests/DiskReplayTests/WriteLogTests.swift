import Foundation
import Testing

@testable import DiskReplay

@Suite struct WriteLogTests {
    @Test func everyKindOfEntryIsRead() throws {
        var written = WrittenLog()
        written.write(7, sector: 3, sectors: 2)
        written.mark("begins")
        written.flush()
        written.write(8, sector: 0, flags: WrittenLog.forced)
        written.discard(sector: 16, sectors: 8)
        try written.withFile { path in
            let log = try WriteLog(path: path)
            #expect(log.entries.map(\.kind) == [.write, .mark("begins"), .write, .write, .discard])
            #expect(log.entries.map(\.range) == [1536..<2560, 0..<0, 0..<0, 0..<512, 8192..<12288])
            #expect(log.entries.map(\.isFlush) == [false, false, true, false, false])
            #expect(log.entries.map(\.isForced) == [false, false, false, true, false])
            #expect(log.place(ofMark: "begins") == 1)
            #expect(log.place(ofMark: "ends") == nil)
            #expect(try log.data(of: log.entries[0]) == Data(repeating: 7, count: 1024))
            #expect(try log.data(of: log.entries[3]) == Data(repeating: 8, count: 512))
        }
    }

    @Test func whatIsNoLogIsSaidToBeNone() throws {
        var written = WrittenLog()
        written.write(7, sector: 3)
        for bytes in [Data(), Data(repeating: 0, count: 4096), written.bytes(magic: 1)] {
            try written.withFile(bytes) { path in
                _ = #expect(throws: WriteLog.Failure.self) { try WriteLog(path: path) }
            }
        }
        try written.withFile(written.bytes(count: 2)) { path in
            _ = #expect(throws: WriteLog.Failure.self) { try WriteLog(path: path) }
        }
    }
}
