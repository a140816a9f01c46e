import Foundation
import Glibc

/// The servers of one hook, each called and asked on its own.
package enum HookTargets: Hashable, Sendable {
    /// `host` or `host:port`, as configured.
    case list([String])
    /// Every address of a name (getaddrinfo, IPv4 and IPv6), asked again for each attempt, so that a server that joins
    /// later is called too.
    case name(String, port: UInt16)

    /// How many targets must confirm a release.
    package enum Requirement: String, CaseIterable, Hashable, Sendable {
        case all
        /// More than half of them.
        case quorum

        func count(of total: Int) -> Int { self == .all ? total : total / 2 + 1 }
    }

    /// `host:port` of each target, sorted where they come from a name. Blocks while a name is looked up.
    func resolved() throws(HookFailure) -> [String] {
        switch self {
        case .list(let targets): return targets
        case .name(let name, let port): return try Self.addresses(of: name, port)
        }
    }

    private static func addresses(of name: String, _ port: UInt16) throws(HookFailure) -> [String] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(name, String(port), &hints, &first)
        guard status == 0 else {
            throw HookFailure("cannot resolve '\(name)': \(unsafe String(cString: gai_strerror(status)))")
        }
        defer { unsafe freeaddrinfo(first) }
        var found: Set<String> = []
        var next = unsafe first
        while let entry = unsafe next {
            var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                found.insert(text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)")
            }
            unsafe next = unsafe entry.pointee.ai_next
        }
        guard !found.isEmpty else { throw HookFailure("'\(name)' has no address") }
        return found.sorted()
    }
}
