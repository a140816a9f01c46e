import CSandbox
import Foundation
import Glibc

/// Restricts the process that it runs in and becomes another program: `supermerged run-sandboxed [--network] FOLDER --
/// PROGRAM ARGUMENTS…`. The program may write in FOLDER alone and, without `--network`, make no sockets but Unix ones.
package enum SandboxedProgram {
    package static let command = "run-sandboxed"

    /// Exit status where the program can't be restricted or started.
    package static let failure: Int32 = 126

    /// The arguments that `exec` takes.
    static func arguments(_ words: [String], folder: String, allowsNetwork: Bool) -> [String] {
        [command] + (allowsNetwork ? ["--network"] : []) + [folder, "--"] + words
    }

    /// Comes back only where it failed, with the exit status.
    package static func exec(_ arguments: [String]) -> Int32 {
        var rest = arguments[...]
        let allowsNetwork = rest.first == "--network"
        if allowsNetwork { rest = rest.dropFirst() }
        guard let folder = rest.popFirst(), rest.popFirst() == "--", let program = rest.first else {
            return fail("usage: supermerged \(command) [--network] FOLDER -- PROGRAM ARGUMENTS")
        }
        if !allowsNetwork {
            let code = 0 - csandbox_deny_network()
            guard code == 0 else {
                return fail("the network can't be denied: \(unsafe String(cString: strerror(code)))")
            }
        }
        let denied = unsafe folder.withCString { folder in
            unsafe "/dev/null".withCString { null in
                let folders: [UnsafePointer<CChar>] = unsafe [folder, null]
                return unsafe csandbox_allow_writing(folders, Int32(folders.count))
            }
        }
        guard denied >= 0 else {
            return fail("writing can't be denied: \(unsafe String(cString: strerror(0 - denied)))")
        }
        var list = unsafe rest.map { unsafe strdup($0) } + [nil]
        unsafe execv(program, &list)
        return fail("\(program) can't be started: \(unsafe String(cString: strerror(errno)))")
    }

    private static func fail(_ message: String) -> Int32 {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        return failure
    }
}
