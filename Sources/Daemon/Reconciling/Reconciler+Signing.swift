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

    /// How far the ledger has got, for a release that is about to be staged.
    func ledgerHead() async -> LedgerHead {
        let head = await parts.ledger.head
        return LedgerHead(entries: head.entries, digest: head.digest)
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

    /// Holds the ledger against what the releases and the signed checkpoint noted of it. One that was cut off or written anew is
    /// said to be so, and no checkpoint is signed over it: `verify` goes on naming what is missing.
    func checkLedger() async {
        let (store, path) = (parts.store, configuration.ledger)
        let signed = signedCheckpoint()
        do {
            try await Blocking.run {
                var checkpoints = try store.releases().compactMap { release in
                    release.record.ledger.map {
                        LedgerCheckpoint(
                            entries: $0.entries, digest: $0.digest, source: "release \(release.version)")
                    }
                }
                if let signed { checkpoints.append(signed) }
                _ = try Ledger.verify(path: path, checkpoints: checkpoints)
            }
        } catch {
            // What can't be read at all is the business of others, who say so.
            isLedgerDoubtful = error is LedgerError
            parts.logger.error(
                "the ledger is not what was noted of it; no checkpoint is signed", metadata: ["reason": "\(error)"])
        }
    }

    /// The checkpoint in the deploy directory; nil where there is none, or none by the present key.
    private func signedCheckpoint() -> LedgerCheckpoint? {
        let path = "\(configuration.deploy)/\(SignedHead.fileName)"
        guard let place = KeyPlace(configuration.signing.key), let bytes = try? Durable.contents(path) else {
            return nil
        }
        do {
            let head = try SignedHead.open(bytes, key: place.read().verification, path: path)
            return LedgerCheckpoint(entries: head.entries, digest: head.digest, source: SignedHead.fileName)
        } catch {
            parts.logger.warning("the ledger's checkpoint can't be used", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// Signs how far the ledger has got, at the start, after a publication and at the end: entries that are cut off later are missed by
    /// whoever knows the checkpoint. A failure takes nothing back; the release itself has an earlier checkpoint.
    func noteCheckpoint() async {
        guard let place = KeyPlace(configuration.signing.key), unwritten.isEmpty, !isLedgerDoubtful else { return }
        let head = await parts.ledger.head
        let path = "\(configuration.deploy)/\(SignedHead.fileName)"
        do {
            try await Blocking.run {
                let bytes = try SignedHead.make(
                    entries: head.entries, digest: head.digest, time: Self.timestamp(), key: place.read())
                try Durable.replace(path, with: bytes)
            }
        } catch {
            parts.logger.warning("a checkpoint of the ledger can't be signed", metadata: ["reason": "\(error)"])
        }
    }
}
