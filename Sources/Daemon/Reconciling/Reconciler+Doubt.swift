package import Control
import Files
import Ledger
import Releases
import Signing
import WorkerProtocol

extension Reconciler {
    /// Whether nothing may be signed over the ledger.
    var isLedgerDoubtful: Bool { ledgerDoubt != nil }

    /// Holds the ledger against what the releases and the signed checkpoint noted of it. One that was cut off or
    /// written anew is said to be so, and so is one whose checkpoint is gone; no checkpoint is signed over it: `verify`
    /// goes on naming what is missing.
    func checkLedger() async {
        let (store, path, before) = (parts.store, configuration.ledger, ledgerDoubt)
        var signed: LedgerCheckpoint?
        var doubt: LedgerIntegrity?
        do {
            signed = try signedCheckpoint()
            // Without a key that can be read a checkpoint that did not hold is no better than it was.
            if !isCheckpointChecked, KeyPlace(configuration.signing.key) != nil, case .checkpoint = before {
                doubt = before
            }
        } catch {
            doubt = LedgerIntegrity(ofCheckpoint: error)
        }
        do {
            try await BlockingIO.run { [signed] in
                var checkpoints = try store.readableReleases().compactMap { release in
                    release.record.ledger.map {
                        LedgerCheckpoint(
                            entries: $0.entries, digest: $0.digest, source: "release \(release.version)")
                    }
                }
                if let signed { checkpoints.append(signed) }
                _ = try Ledger.verify(path: path, checkpoints: checkpoints)
            }
        } catch LedgerError.torn {
            // An entry that is being written meanwhile; what a crash tore off was cut off when the ledger was opened.
        } catch {
            doubt = LedgerIntegrity(ofLedger: error)
        }
        ledgerDoubt = doubt
        guard doubt != before else { return }
        if let doubt {
            parts.logger.error("nothing is signed over the ledger", metadata: ["reason": "\(doubt.message)"])
        } else {
            parts.logger.notice("nothing about the ledger is doubtful any more")
        }
    }

    /// Looks again where something may be other than it was: there was no key, or none that could be read, the signed
    /// checkpoint was put back, or the system did not let the ledger be looked at. To be done before anything is
    /// signed.
    func settleDoubt() async {
        switch ledgerDoubt {
        case .unseen: await checkLedger()
        case .checkpoint:
            let isSigning = KeyPlace(configuration.signing.key) != nil
            if !isSigning || (try? signedCheckpoint()) != nil { await checkLedger() }
        case .contents, nil:
            if !isCheckpointChecked, KeyPlace(configuration.signing.key) != nil { await checkLedger() }
        }
    }

    /// At a look at the registry: signs again once nothing is doubtful any more.
    func reconsiderLedger() async {
        guard isLedgerDoubtful else { return }
        await settleDoubt()
        if !isLedgerDoubtful { await noteCheckpoint() }
    }

    /// The checkpoint in the deploy directory; nil where nothing can be signed, or nothing was before. Throws where
    /// there has to be one that holds and there is none.
    private func signedCheckpoint() throws -> LedgerCheckpoint? {
        isCheckpointChecked = false
        // Without a key that can be read nothing is signed either; `checkSigningKey` says so.
        guard let key = try? KeyPlace(configuration.signing.key)?.read() else { return nil }
        isCheckpointChecked = true
        let path = "\(configuration.deploy)/\(SignedHead.fileName)"
        guard try FileStatus.ifPresent(path) != nil else {
            guard try hasSigned() else { return nil }
            throw SigningError.badSignature(path: path, reason: "it is not there, though it was signed before")
        }
        let head = try SignedHead.open(
            Durable.contents(path, limit: SignedHead.longest), key: key.verification, path: path)
        checkpointKey = key.verification.hint
        return LedgerCheckpoint(entries: head.entries, digest: head.digest, source: SignedHead.fileName)
    }

    /// Whether anything here was signed before, as the ledger or a release shows.
    private func hasSigned() throws -> Bool {
        if memory.hasSigned { return true }
        return try parts.store.standing().contains { try parts.store.isSigned($0) }
    }

    /// Takes the ledger as it stands where only its signed checkpoint is missing or does not hold, as after an exchange
    /// of the key; who said so is in the ledger, under the new signature. A ledger that is not what was noted of it
    /// stays doubtful.
    package func acceptLedger() async -> ActionReply {
        let caller = PeerCredentials.details
        return await command { await $0.performAcceptance(caller) }
    }

    private func performAcceptance(_ caller: [String: JSONValue]) async -> ActionReply {
        guard KeyPlace(configuration.signing.key) != nil else {
            return reply(.failed, "nothing is signed here: signing.key is not set")
        }
        await checkLedger()
        switch ledgerDoubt {
        case nil: return reply(.done, "nothing about the ledger is doubtful")
        case .contents, .unseen: return reply(.failed, ledgerDoubt?.message ?? "")
        case .checkpoint(let reason):
            ledgerDoubt = nil
            let details = caller.merging(["action": "accept-ledger", "reason": .string(reason)]) { $1 }
            await record(
                LedgerEvent(
                    .operatorAction, message: "ledger accepted as it stands by the operator", details: details))
            guard await noteCheckpoint() else {
                ledgerDoubt = .checkpoint(reason)
                checkSigningKey()
                return reply(.failed, "a checkpoint of the ledger can't be signed; the journal says why")
            }
            return reply(.done, "the ledger is accepted as it stands, and its checkpoint signed anew")
        }
    }
}
