package import Files

/// Proof of when a ledger had got how far: a statement about its head, and what a time stamping authority (RFC 3161)
/// answers about the statement. Both lie in `timestamps` beside the ledger, named after the number of entries.
package struct LedgerStatement: Hashable, Sendable {
    package static let folder = "timestamps"
    package static let dataSuffix = ".json"
    package static let replySuffix = ".tsr"
    /// Bytes that an authority's answer may have.
    package static let longestReply = 1 << 20
    private static let longest = 4096

    /// Entries of the ledger, and the SHA-256 of the last of them.
    package let entries: Int
    package let digest: String

    package init(entries: Int, digest: String) {
        self.entries = entries
        self.digest = digest
    }

    /// What is stamped, the same bytes for the same head.
    package var bytes: [UInt8] { Array("{\"ledger\":{\"digest\":\"\(digest)\",\"entries\":\(entries)}}\n".utf8) }

    /// Nil where the bytes are no statement.
    package init?(_ bytes: [UInt8]) {
        guard let ledger = (try? JSONValue(parsing: bytes, .python))?.members["ledger"],
            let entries = ledger.members["entries"]?.integer, let digest = ledger.members["digest"]?.text
        else { return nil }
        self.init(entries: entries, digest: digest)
    }

    /// Paths of the statement and of the answer about it.
    package static func paths(entries: Int, ledger: String) -> (data: String, reply: String) {
        let folder = "\(ledger.splitPath.directory)/\(Self.folder)"
        return ("\(folder)/\(entries)\(dataSuffix)", "\(folder)/\(entries)\(replySuffix)")
    }

    /// Numbers of entries for which there is an answer, in order.
    package static func stamped(ledger: String) throws(FilesError) -> [Int] {
        let folder = "\(ledger.splitPath.directory)/\(Self.folder)"
        guard try FileStatus.ifPresent(folder) != nil else { return [] }
        return try Durable.list(folder).filter { $0.hasSuffix(replySuffix) }
            .compactMap { Int($0.dropLast(replySuffix.count)) }.sorted()
    }

    /// The statement beside an answer; nil where it is missing or none.
    package static func read(entries: Int, ledger: String) throws(FilesError) -> LedgerStatement? {
        let path = paths(entries: entries, ledger: ledger).data
        guard try FileStatus.ifPresent(path) != nil else { return nil }
        return LedgerStatement(try Durable.contents(path, limit: longest))
    }

    /// Why an answer is none about this statement; nil where it may be. Only a verifier with the authority's
    /// certificate can tell whether it holds: this is about an answer that is an error page, a refusal, or another
    /// request's.
    package func fault(ofReply reply: [UInt8]) -> String? {
        guard reply.first == 0x30 else { return "the answer is no time stamp response (DER)" }
        let digest = Digest.sha256(bytes)
        let hash = stride(from: 0, to: digest.utf8.count, by: 2).compactMap { place in
            UInt8(digest.dropFirst(place).prefix(2), radix: 16)
        }
        let isThere = reply.indices.contains { start in
            start + hash.count <= reply.count && reply[start] == hash[0]
                && reply[start..<start + hash.count].elementsEqual(hash)
        }
        return isThere ? nil : "the answer holds no time stamp of the SHA-256 of the statement"
    }
}
