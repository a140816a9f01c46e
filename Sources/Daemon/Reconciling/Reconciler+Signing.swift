import Files
import Ledger
import Releases
import Signing
import WorkerProtocol

extension Reconciler {
    /// The deploy directory with the key that the configuration names now.
    var signingStore: ReleaseStore {
        var store = parts.store
        store.signingKey = KeyPlace(configuration.signing.key)
        return store
    }

    /// How far the ledger has got, for a release that is about to be staged and signed; nil where nothing may be signed
    /// over it.
    ///
    /// Where `LEDGER.sig` is not by the key that signs now, it is signed first: after a crash behind the release's
    /// signature it would look as if it had been taken away.
    func ledgerHead() async -> LedgerHead? {
        await settleDoubt()
        let place = KeyPlace(configuration.signing.key)
        guard !isLedgerDoubtful, place == nil || trust.isCheckpointChecked else { return nil }
        if let key = try? place?.read(), key.verification.hint != trust.checkpointKey { await noteCheckpoint() }
        let head = await parts.ledger.head
        return LedgerHead(entries: head.entries, digest: head.digest)
    }

    /// Names the key that is signed with, as the signatures do; nil where nothing is signed, or where the key can't be
    /// read.
    var signer: JSONValue? {
        guard let key = try? KeyPlace(configuration.signing.key)?.read() else { return nil }
        return .string(key.verification.hint)
    }

    /// Says at once that nothing can be signed: a merge takes long, and its release would be refused at its end.
    func checkSigningKey() {
        guard let place = KeyPlace(configuration.signing.key) else { return }
        do throws(SigningError) {
            _ = try place.read()
        } catch {
            parts.logger.error("nothing can be published before it can be signed", metadata: ["reason": "\(error)"])
        }
    }

    /// Signs how far the ledger has got, at the start, around a publication and at the end: entries that are cut off
    /// later are missed by a verifier that knows the checkpoint. A failure takes nothing back; the release itself has
    /// an earlier checkpoint. Gives whether it was signed.
    @discardableResult
    func noteCheckpoint() async -> Bool {
        guard let place = KeyPlace(configuration.signing.key) else { return false }
        await settleDoubt()
        guard ledgerQueue.isEmpty, trust.allowsSigning else { return false }
        let head = await parts.ledger.head
        let path = "\(configuration.deploy)/\(SignedHead.fileName)"
        do {
            trust.checkpointKey = try await BlockingIO.run {
                let key = try place.read()
                let bytes = try SignedHead.make(
                    entries: head.entries, digest: head.digest, time: Self.timestamp(), key: key)
                try Durable.replace(path, with: bytes)
                return key.verification.hint
            }
            return true
        } catch {
            parts.logger.warning("a checkpoint of the ledger can't be signed", metadata: ["reason": "\(error)"])
            return false
        }
    }
}
