import Foundation
import Testing

@testable import DiskReplay

@Suite struct DiskReplayTests {
    /// Two cached writes, their flush, a forced one, and a write over the first.
    private func log(_ body: (WriteLog) throws -> Void) throws {
        var written = WrittenLog()
        written.mark("begins")
        written.write(1, sector: 0)
        written.write(2, sector: 8)
        written.flush()
        written.write(3, sector: 1, flags: WrittenLog.forced)
        written.mark("told")
        written.write(4, sector: 0)
        written.flush()
        try written.withFile { try body(WriteLog(path: $0)) }
    }

    private func firstBytes(_ image: DiskImage) -> [UInt8] { [0, 512, 4096].map { image.bytes($0..<$0 + 1)[0] } }

    @Test func aCutHasEverythingBeforeIt() throws {
        try log { log in
            var replay = DiskReplay(log)
            let images = try (0...8).map { firstBytes(try replay.image(after: PowerCut(end: $0))) }
            #expect(
                images == [
                    [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 2], [1, 0, 2], [1, 3, 2], [1, 3, 2], [4, 3, 2], [4, 3, 2],
                ])
        }
    }

    @Test func whatWasNotFlushedCanBeLost() throws {
        try log { log in
            var replay = DiskReplay(log)
            let cuts = [(3, [1]), (3, [1, 2]), (7, [6]), (8, [])] as [(Int, Set<Int>)]
            let images = try cuts.map { firstBytes(try replay.image(after: PowerCut(end: $0.0, lost: $0.1))) }
            #expect(images == [[0, 0, 2], [0, 0, 0], [1, 3, 2], [4, 3, 2]])
        }
    }

    @Test func onlyWhatAFlushHasNotSavedIsLost() throws {
        try log { log in
            let cuts = PowerCut.all(in: log.entries, from: 0, losses: 4, seed: 1)
            let losses = cuts.filter { !$0.lost.isEmpty }
            #expect(losses == [.init(end: 3, lost: [1]), .init(end: 3, lost: [2]), .init(end: 7, lost: [6])])
            // After each write and mark; a flush alone changes nothing.
            #expect(cuts.filter(\.lost.isEmpty).map(\.end) == [0, 1, 2, 3, 5, 6, 7])
            #expect(cuts.map(\.end) == cuts.map(\.end).sorted())
            #expect(PowerCut.all(in: log.entries, from: 5, losses: 4, seed: 1).map(\.end) == [5, 6, 7, 7])
        }
    }

    @Test func manyCachedWritesAreLostAtRandomButAlwaysTheSame() throws {
        var written = WrittenLog()
        for sector in 0..<40 { written.write(9, sector: UInt64(sector)) }
        written.flush()
        try written.withFile { path in
            let entries = try WriteLog(path: path).entries
            let cuts = PowerCut.all(in: entries, from: 0, losses: 3, seed: 2).filter { !$0.lost.isEmpty }
            #expect(cuts.count == 3)
            #expect(Set(cuts.map(\.lost)).count == 3)
            #expect(cuts == PowerCut.all(in: entries, from: 0, losses: 3, seed: 2).filter { !$0.lost.isEmpty })
        }
    }

    @Test func anImageIsStoredWithItsHoles() throws {
        var image = DiskImage()
        image.write(Data(repeating: 5, count: 6000), at: 3000)
        image.clear(4000..<5000)
        let path = "\(NSTemporaryDirectory())/sm-disk-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for size in [20000, 16384] {
            try image.store(at: path, size: size)
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            #expect(bytes.count == size)
            #expect(bytes == image.bytes(0..<size))
            #expect(bytes[2999] == 0 && bytes[3000] == 5 && bytes[4000] == 0 && bytes[5000] == 5 && bytes[9000] == 0)
        }
        var cleared = image
        cleared.clear(0..<20000)
        #expect(cleared == DiskImage())
    }
}
