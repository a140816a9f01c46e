import Foundation
import Reliability
import Testing

struct SmallDiskTests {
    /// Tests that run at once start child processes, which inherit what is open; a disk filled here must have its room
    /// again whatever they hold.
    @Test func roomComesBackThoughTheFillerIsHeldOpen() throws {
        guard let disk = try SmallDisk(bytes: 1 << 20) else {
            try Skip.note("no small file system can be mounted here (needs the privilege to mount)")
            return
        }
        let before = try disk.free
        try disk.fill(leaving: 2)
        #expect(try disk.free == 2 << 12)
        let held = try FileHandle(forReadingFrom: URL(filePath: disk.filler))
        try disk.empty()
        #expect(try disk.free == before)
        try held.close()
    }
}
