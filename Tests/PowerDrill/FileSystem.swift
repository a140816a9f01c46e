import Glibc
import Reliability

/// A file system that the stores may lie on, as small as its `mkfs` makes it.
enum FileSystem: String, CaseIterable, Sendable {
    case ext4, xfs, btrfs

    /// Bytes of the disk.
    var size: Int {
        switch self {
        case .ext4: 64 << 20
        case .xfs: 300 << 20
        case .btrfs: 128 << 20
        }
    }

    /// Makes it on a disk; mkfs is heard only where it fails. ext4 is to leave nothing for a thread that writes later
    /// on.
    func make(on device: String) throws {
        let options =
            switch self {
            case .ext4: ["-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"]
            case .xfs, .btrfs: ["-f", "-K"]
            }
        let quietly = #""$@" >/tmp/said 2>&1 || { cat /tmp/said; exit 1; }"#
        try PlainProgram.run(["sh", "-c", quietly, "sh", "mkfs.\(rawValue)", "-q"] + options + [device])
    }

    /// btrfs knows every disk that it has seen, and mounts no older state of one.
    func forgetDisks() {
        guard self == .btrfs else { return }
        let control = open("/dev/btrfs-control", O_RDWR | O_CLOEXEC)
        guard control >= 0 else { return }
        defer { close(control) }
        var arguments = [UInt8](repeating: 0, count: 4096)
        // BTRFS_IOC_FORGET_DEV of every disk that is not mounted.
        _ = ioctl(control, 0x5000_9405, &arguments)
    }
}
