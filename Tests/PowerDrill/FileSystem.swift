import Glibc

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

    /// What makes it, apart from the disk. ext4 is to leave nothing for a thread that writes later on.
    var maker: [String] {
        switch self {
        case .ext4: ["mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"]
        case .xfs: ["mkfs.xfs", "-q", "-f", "-K"]
        case .btrfs: ["mkfs.btrfs", "-q", "-f", "-K"]
        }
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
