internal import CFiles

/// Who is at the other end of a Unix socket.
package enum PeerUser {
    /// The user's number when the peer connected (SO_PEERCRED); nil for another kind of socket.
    package static func of(_ descriptor: Int32) -> UInt32? {
        var user: UInt32 = 0
        return unsafe cfiles_peer(descriptor, &user) == 0 ? user : nil
    }
}
