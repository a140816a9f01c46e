/// Which file a descriptor is and how it stood: equal before and after a read means that nothing changed between.
package struct FileIdentity: Hashable, Sendable, CustomStringConvertible {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// Modification and status-change times in nanoseconds since 1970.
    package var modified: Int64
    package var changed: Int64

    /// `device:inode:size:modified:changed`, the stamp of `SourceFile`.
    package var description: String { "\(device):\(inode):\(size):\(modified):\(changed)" }
}
