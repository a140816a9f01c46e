import Files
import Foundation
import Testing

/// Examples that take long to encode hold up nothing but their own task.
@Suite struct BackgroundEncodingTests {
    /// A worker that encodes only once something is written to the pipe.
    private func slowWorker(_ site: Site) throws -> (worker: String, gate: String) {
        let (worker, gate) = (site.folder.path + "/worker", site.folder.path + "/gate")
        try #require(mkfifo(gate, 0o600) == 0)
        let script = """
            #!/bin/sh
            if [ "$2" = --check ]; then read -r line < \(gate); fi
            exec \(Programs.merge) "$@"
            """
        try Data(script.utf8).write(to: URL(filePath: worker))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: worker)
        return (worker, gate)
    }

    /// A daemon that has a task whose examples are being encoded until `gate` is written to.
    private func encodingSite(_ workshop: TextWorkshop) throws -> (site: Site, daemon: DaemonProcess, gate: String) {
        let site = try Site(steps: 4, base: workshop.base)
        let (worker, gate) = try slowWorker(site)
        site.keys["worker"] = worker
        try site.writeConfiguration()
        let daemon = try site.start()
        try site.drop("sentiment", of: workshop.task("sentiment"))
        return (site, daemon, gate)
    }

    private func state(_ task: String, _ site: Site) throws -> (state: String?, message: String) {
        let status = try site.control("status", "--json").object()
        let tasks = try #require(status["tasks"] as? [[String: Any]])
        let found = tasks.first { $0["name"] as? String == task }
        return (found?["state"] as? String, found?["message"] as? String ?? "")
    }

    @Test func anotherTaskIsReleasedMeanwhile() throws {
        let workshop = try TextWorkshop.shared()
        let (site, daemon, gate) = try encodingSite(workshop)
        // Opened for writing too, so that it never blocks, and held until the worker has read.
        let pipe = open(gate, O_RDWR)
        try #require(pipe >= 0)
        defer { close(pipe) }
        let watch = try site.ledgerWatch()
        try site.drop("topics", of: workshop.task("topics")) { folder in
            let run = try Execution.run(
                Programs.merge,
                ["encode", folder, "--base", workshop.base, "--output", folder + "/validation.safetensors"])
            #expect(run.status == 0, "\(run.errors)")
            try Durable.remove(folder + "/validation.csv")
        }
        try watch.wait(for: "a release of the other task") { try !site.ledger(.published).isEmpty }
        #expect(try site.release()?.record.tasks.map(\.name) == ["topics"])
        let (state, message) = try state("sentiment", site)
        #expect(state == "arriving" && message == "its examples are being checked and encoded", "\(message)")
        try #require(write(pipe, "\n", 1) == 1)
        try site.settle()
        #expect(try site.release()?.record.tasks.map(\.name).sorted() == ["sentiment", "topics"])
        #expect(try daemon.stop() == 0)
    }

    @Test func theDaemonStopsWhileExamplesAreEncoded() throws {
        let workshop = try TextWorkshop.shared()
        let (site, daemon, gate) = try encodingSite(workshop)
        // Opening blocks until the worker reads.
        let pipe = open(gate, O_WRONLY)
        try #require(pipe >= 0)
        #expect(try daemon.stop() == 0)
        close(pipe)
        // Nobody reads any more: the worker was ended with the daemon.
        #expect(open(gate, O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO)
        #expect(try site.ledger(.stopped).count == 1)
    }
}
