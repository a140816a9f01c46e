import Foundation
import Testing

/// A real Prometheus (Debian's package `prometheus`) scrapes the daemon's metrics and answers the check of a rollout.
@Suite struct PrometheusTests {
    private static let program = [
        "/usr/bin/prometheus", ProcessInfo.processInfo.environment["PROMETHEUS"] ?? "",
    ].first {
        !$0.isEmpty && FileManager.default.isExecutableFile(atPath: $0)
    }

    /// A server that scrapes one address every second, until the end of the test.
    private final class Server {
        private let folder: TemporaryFolder
        private let process: ChildProcess
        let url: String

        init(_ program: String, scraping target: UInt16) throws {
            folder = try TemporaryFolder()
            let port = freePort()
            url = "http://127.0.0.1:\(port)"
            let settings = """
                global: {scrape_interval: 1s, scrape_timeout: 1s}
                scrape_configs:
                  - job_name: supermerge
                    static_configs: [{targets: ["127.0.0.1:\(target)"]}]

                """
            try Data(settings.utf8).write(to: URL(filePath: folder.path + "/prometheus.yml"))
            let errors = folder.path + "/errors"
            process = try ChildProcess(
                program,
                [
                    "--config.file=\(folder.path)/prometheus.yml", "--storage.tsdb.path=\(folder.path)/data",
                    "--web.listen-address=127.0.0.1:\(port)",
                ], output: folder.path + "/output", errors: errors)
            let watch = try ChangeWatch([folder.path])
            try watch.wait(for: "Prometheus") { try Execution.text(errors).contains("Server is ready") }
        }

        deinit { process.kill() }
    }

    @Test(.enabled(if: program != nil, "Prometheus is not installed (Debian's package prometheus, or PROMETHEUS)"))
    func aRealPrometheusReadsTheMetricsAndDecides() throws {
        let site = try Site(steps: 5)
        let port = freePort()
        site.keys["status"] = "{listen: '127.0.0.1:\(port)'}"
        let server = try Server(try #require(Self.program), scraping: port)
        // Release 2 passes and release 3 does not; the daemon's own metric has to have been read.
        let query = "vector({release} + 0 * scalar(supermerge_release_version))"
        try site.writeConfiguration(
            extra: """
                rollout:
                  strategy: canary
                  window: 300ms
                  interval: 200ms
                  check: {prometheus: {url: "\(server.url)", query: "\(query)", maximum: 2}}

                """)
        try site.start()
        for (task, version) in [("amber", 1), ("birch", 2)] {
            let run = try site.control("submit", Workshop.shared().task(task), "--wait")
            #expect(run.status == 0 && site.current == "versions/\(version)", "\(run.output)\(run.errors)")
        }
        #expect(try site.ledger(.promoted).map(\.version) == [2])
        let run = try site.control("submit", Workshop.shared().task("cedar"), "--wait")
        #expect(run.status == 3 && run.errors.contains("3 is above the maximum 2"), "\(run.output)\(run.errors)")
        #expect(site.current == "versions/2")
        #expect(try site.ledger(.rejected).map(\.version) == [3])
    }
}
