/// One file that goes into a merge: where it lies, what was in it when it was admitted, and how to notice a change.
package struct SourceFile: Codable, Hashable, Sendable {
    /// Path relative to the folder of the base or the task.
    package var name: String
    /// Length in bytes.
    package var bytes: Int64
    /// SHA-256 of the content, lower-case hexadecimal.
    package var sha256: String
    /// Device, inode, size, modification and change time, as `FileIdentity.description` writes them. Equal stamps
    /// before and after a read mean that the bytes read are the bytes that were hashed. Empty where nobody watched the
    /// file.
    package var stamp: String

    package init(name: String, bytes: Int64, sha256: String, stamp: String = "") {
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
        self.stamp = stamp
    }
}
