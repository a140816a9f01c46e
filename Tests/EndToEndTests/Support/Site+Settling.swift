import Testing

extension Site {
    /// Waits until everything in the registry is merged or refused, and expects `rescan --wait` to end with this
    /// status.
    func settle(_ comment: String = "", status: Int32 = 0, at location: SourceLocation = #_sourceLocation) throws {
        let reply = try rescan()
        let story = try ledger().suffix(4).map(\.message).joined(separator: " | ")
        #expect(
            reply.status == status, "\(comment) \(reply.output) \(reply.errors) \(story)", sourceLocation: location)
    }
}
