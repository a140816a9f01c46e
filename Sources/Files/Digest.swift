import Crypto

/// SHA-256, the one digest of the project, as lower-case hexadecimal.
package struct Digest {
    private var state = SHA256()

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe state.update(bufferPointer: bytes)
    }

    /// The digest of what has come so far; more may follow.
    package func hexadecimal() -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in state.finalize() {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Of a whole value at once.
    package static func sha256(_ bytes: some Sequence<UInt8>) -> String {
        var digest = Digest()
        let array = Array(bytes)
        unsafe array.withUnsafeBytes { unsafe digest.update($0) }
        return digest.hexadecimal()
    }

    /// Of a set of files: over the lines `<sha256>  <name>` in the order of their names, as `sha256sum` prints them.
    package static func manifest(_ files: some Sequence<(name: String, sha256: String)>) -> String {
        sha256(files.sorted { $0.name < $1.name }.map { "\($0.sha256)  \($0.name)\n" }.joined().utf8)
    }
}
