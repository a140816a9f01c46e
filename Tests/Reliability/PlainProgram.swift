import Glibc

/// Runs a program and waits for it without Foundation's `Process`, which wants more of a system than a bare kernel has.
package enum PlainProgram {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// `words` begin with the program, looked for along PATH; `environment` is added to this process's own. What it
    /// prints goes where this process prints. Throws where it can't be started or does not end with 0.
    package static func run(_ words: [String], environment: [String: String] = [:]) throws {
        var variables: [String] = []
        var place = environ
        while let text = place.pointee {
            let variable = String(cString: text)
            if environment[String(variable.prefix { $0 != "=" })] == nil { variables.append(variable) }
            place += 1
        }
        variables += environment.map { "\($0)=\($1)" }
        var (arguments, settings) = (words.map { strdup($0) }, variables.map { strdup($0) })
        defer { for text in arguments + settings { free(text) } }
        arguments.append(nil)
        settings.append(nil)
        var (child, status) = (pid_t(0), Int32(0))
        let failure = posix_spawnp(&child, words[0], nil, nil, arguments, settings)
        guard failure == 0 else { throw Failure(description: "\(words[0]): \(String(cString: strerror(failure)))") }
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else {
            throw Failure(description: "\(words.joined(separator: " ")): ended with status \(status)")
        }
    }
}
