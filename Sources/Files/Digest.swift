/// SHA-256, the one digest of the project, as lower-case hexadecimal.
package struct Digest {
    package init() {}
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {}
    package func hexadecimal() -> String { fatalError() }
    /// Of a whole value at once.
    package static func sha256(_ bytes: some Sequence<UInt8>) -> String { fatalError() }
}
