import Files
import Foundation
import Reliability

extension Drill {
    /// What a crash leaves at the worst moment: a link beside `current`, a pending number, a torn ledger, a half
    /// staging.
    func wreck() throws {
        let deploy = folder + "/deploy"
        try Durable.replace(deploy + "/.numbers.json", with: Array(#"{"highest":4,"pending":true}"#.utf8))
        try PlainProgram.run(["cp", "-a", deploy + "/versions/3", deploy + "/versions/4"])
        try Durable.createDirectories(deploy + "/.staging/merge-7/heads")
        try Data("half".utf8).write(to: URL(filePath: deploy + "/.staging/merge-7/model.safetensors"))
        try FileManager.default.createSymbolicLink(
            atPath: deploy + "/.current.tmp", withDestinationPath: "versions/4")
        let ledger = try FileHandle(forWritingTo: URL(filePath: ledger))
        try ledger.seekToEnd()
        try ledger.write(contentsOf: Data(#"{"details":{},"event":"#.utf8))
        try ledger.close()
    }
}
