/// `supermergectl --socket PATH status` is the documented order, and `status --socket PATH` works too.
enum CommandLineSocket {
    /// The option's value where it stands before the subcommand.
    static var beforeSubcommand: String? {
        let arguments = CommandLine.arguments.dropFirst()
        guard let first = arguments.first else { return nil }
        if first == "--socket" { return arguments.dropFirst().first }
        return first.hasPrefix("--socket=") ? String(first.dropFirst("--socket=".count)) : nil
    }
}
