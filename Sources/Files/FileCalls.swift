internal import Glibc

/// The system calls by which content gets onto the disk and back, so that a test can cut them short, interrupt or fail
/// them. Each sets errno as the system does.
@safe package struct FileCalls: Sendable {
    /// Bytes written, or -1.
    package var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int = { descriptor, bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    }
    /// 0, or -1.
    package var sync: @Sendable (_ descriptor: Int32) -> Int32 = { fsync($0) }
    /// Bytes read, 0 at the end, or -1.
    package var read: @Sendable (_ descriptor: Int32, _ to: UnsafeMutableRawBufferPointer, _ offset: Int64) -> Int = {
        unsafe pread($0, $1.baseAddress, $1.count, off_t($2))
    }

    package init() {}

    /// Those that the current task uses.
    @TaskLocal package static var current = FileCalls()
}
