/// What libtorch said when an operation failed, first line first.
package struct TorchError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        case failed
        /// A tensor did not fit into the memory of its device; less at a time may.
        case outOfMemory
    }

    package var kind: Kind
    package var message: String
    package var description: String { message }

    package init(_ message: String, kind: Kind = .failed) {
        self.kind = kind
        self.message = message
    }
}
