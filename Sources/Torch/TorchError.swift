/// What libtorch said when an operation failed, first line first.
package struct TorchError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var description: String { message }

    package init(_ message: String) { self.message = message }
}
