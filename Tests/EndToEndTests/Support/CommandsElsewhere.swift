import Foundation

/// Commands of the documentation that its own tests don't run, because they need root, a service manager, a network or
/// an hour.
enum CommandsElsewhere {
    enum Place {
        /// What runs such a command: a file of the package, and words in it that do.
        case file(String, words: String)
        /// Nothing does it by itself, and why.
        case byHand(String)
    }

    /// By how the commands begin; the first that fits counts.
    static let places: [(beginning: String, place: Place)] = [
        ("make test", .file(".ci/run", words: "step make test")),
        ("make demo", .byHand("brings a data set of its own, and takes a release build; it ends with its own checks")),
        ("make deb", .byHand("takes a release build with the Swift runtime in it; lintian reads what comes of it")),
        ("sudo apt install", .byHand("changes the machine")),
        ("sudo usermod", .byHand("changes the users of the machine")),
        ("make && sudo make install", .file("Packaging/build", words: "install DESTDIR=")),
        (
            "sudo systemd-sysusers && sudo systemd-tmpfiles --create",
            .file("Tests/systemd/checks", words: "systemd-tmpfiles --create")
        ),
        (
            "sudo cp config/supermerged.yaml /etc/supermerge/main.yaml",
            .file("Packaging/build", words: "config/supermerged.yaml \"$root/etc/supermerge/main.yaml\"")
        ),
        ("sudo systemctl enable --now", .file("Tests/systemd/checks", words: "systemctl start \"$unit\"")),
        ("sudo systemctl start", .file("Tests/systemd/checks", words: "systemctl start \"$unit\"")),
        ("sudo systemctl stop", .file("Tests/systemd/checks", words: "systemctl stop \"$unit\"")),
        ("sudo systemctl reload", .file("Tests/systemd/checks", words: "systemctl reload \"$unit\"")),
        ("systemctl status", .file("Tests/systemd/checks", words: "property StatusText")),
        ("journalctl SUPERMERGE_TASK=", .file("Tests/systemd/checks", words: "journal SUPERMERGE_TASK=")),
        ("supermergectl watch", .file("Tests/EndToEndTests/WatchTests.swift", words: "\"watch\"")),
        ("python Tools/export_model.py", .byHand("needs PyTorch and a model; Tools/make_fixtures.py exports by it")),
        ("LIBTORCH_ROOT=", .byHand("a second build of everything, against another libtorch")),
        ("ssh -L", .byHand("needs another machine; DashboardTests opens the page that the socket answers")),
    ]

    /// Where a command is run; nil: by the test of its page.
    static func place(of command: String) -> Place? { places.first { command.hasPrefix($0.beginning) }?.place }
}
