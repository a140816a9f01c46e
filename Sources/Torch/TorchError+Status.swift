import CTorch
import Glibc

extension TorchError {
    /// Runs a C function that reports failure by its status and a message, and throws that message.
    @safe static func check(
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> ct_status
    ) throws(TorchError) {
        var message: UnsafeMutablePointer<CChar>?
        let status = unsafe body(&message)
        guard status != ct_status(CT_OK) else { return }
        let kind: Kind = status == ct_status(CT_OUT_OF_MEMORY) ? .outOfMemory : .failed
        guard let text = unsafe message else { throw TorchError("libtorch failed without a message", kind: kind) }
        defer { unsafe free(text) }
        throw TorchError(unsafe String(cString: text).trimmed, kind: kind)
    }
}

extension String {
    /// Without line ends at its end.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last?.isNewline == true { text = text.dropLast() }
        return String(text)
    }
}
