import Files
import Foundation
import Testing

/// The documentation, followed to the letter: every command of it against a real daemon and a small registry.
@Suite struct DocumentedCommandsTests {
    /// Pages that a test below follows, and `docs/audit.md`, which `AuditTests` does.
    private static let followed: Set = ["README.md", "docs/adoption.md", "docs/operations.md", "docs/audit.md"]
    /// What a followed page may call.
    private static let programs: Set = [
        "supermerge", "supermerged", "supermergectl", "cat", "chmod", "cp", "du", "grep", "ls", "mv", "openssl",
        "readlink",
        "sha256sum", "tar",
    ]

    @Test func everyCommandIsRunByATestOrListed() throws {
        for page in try DocumentedPage.all() {
            for command in page.commands where CommandsElsewhere.place(of: command) == nil {
                let program = command.split(separator: " ").first { $0 != "sudo" } ?? ""
                #expect(
                    Self.followed.contains(page.name) && Self.programs.contains(String(program)),
                    "\(page.name): nothing runs '\(command)'; follow the page in a test, or add it to CommandsElsewhere"
                )
            }
        }
        let commands = try DocumentedPage.all().flatMap(\.commands)
        for (beginning, place) in CommandsElsewhere.places {
            #expect(commands.contains { $0.hasPrefix(beginning) }, "no page has '\(beginning)' any more")
            if case .file(let name, let words) = place {
                #expect(try Execution.text(Programs.package.appending(path: name).path).contains(words), "\(name)")
            }
        }
    }

    @Test func everyLinkLeadsToAFile() throws {
        for page in try DocumentedPage.all() {
            let place = Programs.package.appending(path: page.name)
            for link in try Execution.text(place.path).matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
                let target = place.deletingLastPathComponent().appending(path: String(link.output.1)).path
                #expect(FileManager.default.fileExists(atPath: target), "\(page.name): \(link.output.1)")
            }
        }
    }

    /// A site with `count` releases: of sentiment, then of topics too.
    private func site(releases count: Int) throws -> (site: Site, daemon: DaemonProcess) {
        let site = try Site(steps: 5)
        let daemon = try site.start()
        for (source, name) in [("amber", "sentiment"), ("birch", "topics"), ("cedar", "intents")].prefix(count) {
            try site.drop(source, as: name)
            try site.settle()
        }
        #expect(site.current == "versions/\(count)")
        return (site, daemon)
    }

    @Test func theFrontDoorOpens() throws {
        let (site, _) = try site(releases: 3)
        try site.copy(Workshop.shared().task("dune"), to: site.folder.path + "/my-sentiment")
        try site.follow(DocumentedPage("README.md"))
    }

    @Test func aNewUserComesToTheFirstReleases() throws {
        let workshop = try TextWorkshop.shared()
        let site = try Site(steps: 5, base: workshop.base)
        let files = FileManager.default
        // What the user has: a plain directory as transformers saves it, and two fine-tunes with their examples.
        try files.moveItem(atPath: site.registry + "/base", toPath: site.folder.path + "/my-model")
        try files.createDirectory(atPath: site.registry + "/base", withIntermediateDirectories: true)
        for name in ["sentiment", "topics"] {
            try site.copy(workshop.task(name), to: "\(site.folder.path)/my-\(name)")
        }
        let page = try DocumentedPage("docs/adoption.md")
        let start = "sudo systemctl enable --now supermerged@main"
        #expect(page.commands.contains(start))
        try site.follow(page, [start: { try site.start() }])
        #expect(site.current == "versions/2")
    }

    @Test func anOperatorsDay() throws {
        var (site, daemon) = try site(releases: 2)
        let page = try DocumentedPage("docs/operations.md")
        let (stop, start) = ("sudo systemctl stop supermerged@main", "sudo systemctl start supermerged@main")
        #expect(page.commands.contains(stop) && page.commands.contains(start))
        try site.follow(
            page,
            [
                stop: {
                    #expect(try daemon.stop() == 0)
                    for lost in [site.deploy, site.state] { try Durable.rename(lost, to: lost + "-lost") }
                },
                start: { daemon = try site.start() },
                "sudo systemctl reload supermerged@main": { daemon.process.signal(1) },
            ])
        #expect(site.current == "versions/4")
    }
}
