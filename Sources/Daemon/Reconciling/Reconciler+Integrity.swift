package import Control
import Files
import Ledger
import Releases
import Signing
import WorkerProtocol

extension Reconciler {
    /// Whether nothing may be signed over the ledger.
    var isLedgerDoubtful: Bool { trust.doubt != nil }

    /// Holds the ledger against what the releases and the signed checkpoint noted of it. One that was cut off or
    /// written anew is said to be so, and so is one whose checkpoint is gone; no checkpoint is signed over it: `verify`
    /// goes on naming what is missing.
    /// `opening`: what the walk along it noted, at the start.
    func checkLedger(_ opening: LedgerOpening? = nil) async {
        let (store, path, before) = (parts.store, configuration.ledger, trust.doubt)
        var signed: LedgerCheckpoint?
        var doubt: LedgerIntegrity?
        do {
            signed = try signedCheckpoint()
            doubt = trust.remaining(hasKey: KeyPlace(configuration.signing.key) != nil)
        } catch {
            doubt = LedgerIntegrity(ofCheckpoint: error)
        }
        do {
            if let opening, let noted = opening.checkpoints,
                case let checkpoints = noted + (signed.map { [$0] } ?? []), opening.digests.cover(checkpoints)
            {
                try opening.digests.compare(checkpoints, path: path)
            } else {
                try await BlockingIO.run { [signed] in
                    let checkpoints = try LedgerOpening.checkpoints(store) + (signed.map { [$0] } ?? [])
                    _ = try Ledger.verify(path: path, checkpoints: checkpoints)
                }
            }
        } catch LedgerError.torn {
            // An entry that is being written meanwhile; what a crash tore off was cut off when the ledger was opened.
        } catch {
            doubt = LedgerIntegrity(ofLedger: error)
        }
        trust.doubt = doubt
        guard doubt != before else { return }
        if let doubt {
            parts.logger.error("nothing is signed over the ledger", metadata: ["reason": "\(doubt.message)"])
        } else {
            parts.logger.notice("nothing about the ledger is doubtful any more")
        }
    }

    /// Checks again where the result may be another one. To be done before anything is signed.
    func settleDoubt() async {
        let hasKey = KeyPlace(configuration.signing.key) != nil
        let trust = trust
        if trust.needsCheck(hasKey: hasKey, holds: { (try? signedCheckpoint()) != nil }) { await checkLedger() }
    }

    /// At a scan of the registry: signs again once the ledger is no longer doubtful.
    func reconsiderLedger() async {
        guard isLedgerDoubtful else { return }
        await settleDoubt()
        if !isLedgerDoubtful { await noteCheckpoint() }
    }

    /// The checkpoint in the deploy directory; nil where nothing can be signed, or nothing was before. Throws where
    /// there has to be one that holds and there is none.
    private func signedCheckpoint() throws -> LedgerCheckpoint? {
        trust.isCheckpointChecked = false
        // Without a key that can be read nothing is signed either; `checkSigningKey` says so.
        guard (try? KeyPlace(configuration.signing.key)?.read()) != nil else { return nil }
        trust.isCheckpointChecked = true
        guard let signed = try LedgerOpening.signedCheckpoint(configuration) else {
            guard try hasSigned() else { return nil }
            let path = "\(configuration.deploy)/\(SignedHead.fileName)"
            throw SigningError.badSignature(path: path, reason: "it is not there, though it was signed before")
        }
        trust.checkpointKey = signed.key
        return signed.checkpoint
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
        switch trust.doubt {
        case nil: return reply(.done, "nothing about the ledger is doubtful")
        case .contents, .unseen: return reply(.failed, trust.doubt?.message ?? "")
        case .checkpoint(let reason):
            trust.doubt = nil
            let details = caller.merging(["action": "accept-ledger", "reason": .string(reason)]) { $1 }
            await record(
                LedgerEvent(
                    .operatorAction, message: "ledger accepted as it stands by the operator", details: details))
            guard await noteCheckpoint() else {
                trust.doubt = .checkpoint(reason)
                checkSigningKey()
                return reply(.failed, "a checkpoint of the ledger can't be signed; the journal says why")
            }
            return reply(.done, "the ledger is accepted as it stands, and its checkpoint signed anew")
        }
    }
}
