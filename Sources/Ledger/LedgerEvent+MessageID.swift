extension LedgerEvent.Kind {
    /// The `MESSAGE_ID` of the event in the journal: 128 random bits that never change. `systemd/supermerged.catalog`
    /// holds the explanation of each.
    package var messageID: String {
        switch self {
        case .started: "25d9b4fea2be4e63bb26be8e33fb5655"
        case .stopped: "55e2b1fc74a444ada4fec584add12f4a"
        case .configurationLoaded: "54cb48a22edd494ebc8a299e1eef9416"
        case .configurationRejected: "43ddb9b899194cf28fbd5e07e3545cfc"
        case .scanned: "4c3f659ee15843af87501229d89adb0b"
        case .accepted: "1137c2f04c3449cca11305f361d1a3ca"
        case .refused: "21d8f995c0a743008450c23a053549f5"
        case .removed: "0cf3ca7cde554630972bd67af830a667"
        case .mergeStarted: "4057a6a67e8b4813b7b97f4fc5bdbc0f"
        case .mergeProgress: "0192e8e69c044879be743716a6f35652"
        case .mergeFailed: "ccfc25770e5b4ef4be27c4768275d50a"
        case .mergeCancelled: "e54f426692114af5928c7189ee3613d3"
        case .gated: "f94d8a3d1134460e81357681509f622c"
        case .published: "eac69a86cb6544a69dfa7094688b131e"
        case .submitted: "58fd53ca1d0b4fdea70929ede8527aef"
        case .withdrawn: "e1bcf749f08641e096195693160613b0"
        case .canaryStarted: "cc63278cf3624aa5aac7fd7ff51c3065"
        case .promoted: "a0ecf20ace9342d085999ec9fac188fb"
        case .rejected: "47c23074c0ac49f68cdb48b2c64c33ab"
        case .checkFailed: "4a3b16cd564e4d82b089f8b48e95bb9f"
        case .rolledBack: "9a7576d567ac48d2845160f3a92fdb01"
        case .retired: "1d93313dd80742089189e8c2490b62b1"
        case .recovered: "0ee7768e9a424482ab5e9bf21392f8d2"
        case .hook: "cbfa277ba23747bfb5df2dfd5c188969"
        case .hookFailed: "c16f954251fa5452272755d324709c21"
        case .operatorAction: "ae5776b51f7c41b8bd706bbf949dbba9"
        }
    }

    /// How loud the event is, by syslog's numbers: 3 error, 4 warning, 5 notice, 6 information.
    package var priority: Int {
        switch self {
        case .mergeFailed, .configurationRejected, .hookFailed, .recovered, .checkFailed: 3
        case .refused, .gated, .rejected: 4
        case .published, .rolledBack, .canaryStarted, .promoted, .started, .stopped: 5
        case .configurationLoaded, .scanned, .accepted, .removed, .mergeStarted, .mergeProgress, .mergeCancelled,
            .retired, .hook, .operatorAction, .submitted, .withdrawn:
            6
        }
    }
}
