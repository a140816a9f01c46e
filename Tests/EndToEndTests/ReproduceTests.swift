import Foundation
import Testing

/// `reproduce`: a release of the daemon made again from what its record names.
@Suite struct ReproduceTests {
    private func outcome(_ run: Execution) throws -> String? { try run.object()["outcome"] as? String }

    @Test func releasesOfTheDaemonComeOutAgain() throws {
        let site = try Site(steps: 8)
        try site.drop("amber")
        let daemon = try site.start()
        try site.settle()
        try site.drop("birch")
        try site.settle()
        let plain = try site.control("reproduce", "2")
        #expect(plain.status == 0, "\(plain.output) \(plain.errors)")
        #expect(plain.output.contains("release 2: the same bytes") && plain.output.contains("model.safetensors"))

        // The registry's folder of a task has other content by now; the daemon's own copy is taken.
        try site.drop("amber", of: Workshop.shared().task("cedar"))
        try site.settle()
        let roll = try site.control("rollback", "1")
        #expect(roll.status == 0, "\(roll.errors)")
        for version in ["1", "2", "3", "4"] {
            let run = try site.control("reproduce", version, "--json")
            #expect(try run.status == 0 && outcome(run) == "same", "\(version): \(run.output) \(run.errors)")
            let outputs = try #require(try run.object()["outputs"] as? [[String: Any]])
            let names = Set(outputs.compactMap { $0["name"] as? String })
            #expect(names.isSuperset(of: ["model.safetensors", "config.json", "heads/amber.safetensors"]))
        }

        // Without the daemon, and with an input that is no longer what it was.
        #expect(try daemon.stop() == 0)
        let directories = ["--deploy", site.deploy, "--state", site.state]
        func reproduce(_ flags: String...) throws -> Execution {
            try Execution.run(Programs.control, ["reproduce", "2"] + directories + flags)
        }
        #expect(try reproduce().status == 0)
        let base = site.registry + "/base/model.safetensors"
        var bytes = try site.bytes(base)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(filePath: base))
        let tampered = try reproduce()
        #expect(tampered.status == 1)
        #expect(tampered.output.contains("base: \(base) is changed"), "\(tampered.output) \(tampered.errors)")
        let json = try reproduce("--json")
        #expect(try json.status == 1 && outcome(json) == "impossible")
    }

    @Test func aProgramThatIsNotThereIsNamed() throws {
        let run = try Execution.run(
            Programs.control, ["reproduce", "1", "--deploy", "/d", "--state", "/s", "--program", "/no/supermerge"])
        #expect(run.status == 1 && run.errors.contains("/no/supermerge"))
        let nothing = try Execution.run(Programs.control, ["reproduce", "7", "--deploy", "/d", "--state", "/s"])
        #expect(nothing.status == 1 && nothing.errors.contains("/d/versions/7/release.json"), "\(nothing.errors)")
        #expect(try Execution.run(Programs.control, ["reproduce", "seven"]).status == 2)
    }

    @Test(arguments: [
        ["--method", "dare", "--seed", "5"], ["--method", "ties", "--scale", "search"], ["--steps", "3"],
    ])
    func aMergeByHandComesOutAgain(flags: [String]) throws {
        let folder = try TemporaryFolder()
        let workshop = try Workshop.shared()
        let output = folder.path + "/merged"
        let tasks = ["amber", "birch"].flatMap { ["--task", workshop.task($0)] }
        let merge = try Execution.run(
            Programs.merge,
            ["merge", "--base", workshop.base] + tasks + ["--output", output, "--threads", "1"] + flags)
        #expect(merge.status == 0, "\(merge.errors)")
        let run = try Execution.run(Programs.merge, ["reproduce", output, "--json", "--scratch", folder.path])
        #expect(try run.status == 0 && outcome(run) == "same", "\(run.output) \(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["merged"], "no scratch is left")
    }

    @Test func shardsOfTheDaemonComeOutAgain() throws {
        let site = try Site(steps: 4, merge: ["max-shard-size": "8kB"])
        try site.drop("amber")
        try site.start()
        try site.settle()
        let settings = try #require(try site.control("show", "1", "--json").object()["settings"] as? [String: Any])
        #expect(settings["max_shard_size"] as? Int == 8000)
        let index = try JSONSerialization.jsonObject(with: site.bytes(site.deployed("model.safetensors.index.json")))
        let map = try #require((index as? [String: Any])?["weight_map"] as? [String: String])
        #expect(Set(map.values).count > 3)
        let run = try site.control("reproduce", "1", "--json")
        #expect(try run.status == 0 && outcome(run) == "same", "\(run.output) \(run.errors)")
        let outputs = try #require(try run.object()["outputs"] as? [[String: Any]])
        #expect(Set(outputs.compactMap { $0["name"] as? String }).isSuperset(of: map.values))
        #expect(try site.control("verify").status == 0)
    }
}
