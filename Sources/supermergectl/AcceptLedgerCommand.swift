import ArgumentParser

struct AcceptLedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept-ledger",
        abstract: "Sign the ledger as it stands, though its signed checkpoint is missing or made with another key.",
        discussion: """
            For after an exchange of the signing key: check the ledger with the old public key first ('supermergectl verify \
            --public-key OLD'). A ledger that is not what the releases noted of it is not accepted. Who said so is in the ledger.
            """)

    @OptionGroup var connection: Connection

    func run() async throws { try await connection.act("/accept-ledger") }
}
