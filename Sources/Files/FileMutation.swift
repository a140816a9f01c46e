/// A call that is about to change the file system. Everything in this module that writes announces itself here first,
/// so that a test can stop or fail each call of a procedure in turn, as a power cut or a full disk would.
package struct FileMutation: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case create, write, sync, rename, link, symlink, remove, makeDirectory, changeMode
    }

    package var kind: Kind
    /// What will change; of a rename or link, the new path.
    package var path: String

    /// Called before every change made from the current task; what it throws is thrown in place of the change.
    @TaskLocal package static var interceptor: (@Sendable (FileMutation) throws(FilesError) -> Void)?

    static func announce(_ kind: Kind, _ path: String) throws(FilesError) {
        guard let interceptor else { return }
        try interceptor(FileMutation(kind: kind, path: path))
    }
}
