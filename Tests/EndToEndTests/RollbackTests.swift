import Foundation
import Ledger
import Testing

/// `supermergectl rollback`.
@Suite struct RollbackTests {
    @Test func oldContentComesBackUnderANewNumberAndStays() throws {
        let site = try Site()
        try site.drop("amber")
        let daemon = try site.start()
        try site.rescan()
        try site.drop("birch")
        try site.rescan()
        #expect(site.current == "versions/2")

        let run = try site.control("rollback", "1", "--json")
        #expect(run.status == 0, "\(run.errors)")
        #expect(site.current == "versions/3")
        let record = try #require(try site.release()?.record)
        #expect(record.rollbackOf == 1 && record.version == 3)
        for file in ["model.safetensors", "heads/amber.safetensors", "config.json"] {
            let (old, new) = (site.deploy + "/versions/1/" + file, site.deploy + "/versions/3/" + file)
            #expect(try site.bytes(old) == site.bytes(new), "\(file)")
        }
        #expect(!FileManager.default.fileExists(atPath: site.deployed("heads/birch.safetensors")))

        let again = try site.control("rollback", "3")
        #expect(again.status == 0 && again.output.contains("release 3 is deployed already"), "\(again.errors)")
        #expect(try site.versions() == [1, 2, 3])

        try site.settle()
        #expect(site.current == "versions/3", "what was rolled back is not merged again at once")
        #expect(try daemon.stop() == 0)
        try site.start()
        try site.settle()
        #expect(site.current == "versions/3", "nor after a restart")
        #expect(try site.control("verify").status == 0)

        try site.drop("cedar")
        try site.settle()
        #expect(site.current == "versions/4", "a new arrival is merged")
    }
}
