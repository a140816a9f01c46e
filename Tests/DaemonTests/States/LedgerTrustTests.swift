import Testing

@testable import Daemon

struct LedgerTrustTests {
    private func trust(_ doubt: LedgerIntegrity?, isChecked: Bool = true) -> LedgerTrust {
        LedgerTrust(doubt: doubt, isCheckpointChecked: isChecked)
    }

    @Test func allowsSigningOfWhatWasChecked() {
        #expect(trust(nil).allowsSigning)
        #expect(!trust(nil, isChecked: false).allowsSigning && !trust(.contents("cut")).allowsSigning)
    }

    @Test func looksAgainWhereItMayHavePassed() {
        #expect(trust(.unseen("EIO")).needsCheck(hasKey: true) { false })
        #expect(trust(.checkpoint("gone")).needsCheck(hasKey: true) { true })
        #expect(!trust(.checkpoint("gone")).needsCheck(hasKey: true) { false })
        #expect(trust(.checkpoint("gone")).needsCheck(hasKey: false) { false })
        #expect(trust(nil, isChecked: false).needsCheck(hasKey: true) { false })
        #expect(!trust(nil).needsCheck(hasKey: true) { true })
        #expect(!trust(.contents("cut")).needsCheck(hasKey: true) { true })
    }

    @Test func isNoBetterWithoutAReadableKey() {
        let gone = LedgerIntegrity.checkpoint("gone")
        #expect(trust(gone, isChecked: false).remaining(hasKey: true) == gone)
        #expect(trust(gone, isChecked: false).remaining(hasKey: false) == nil)
        #expect(trust(gone).remaining(hasKey: true) == nil)
        #expect(trust(.contents("cut"), isChecked: false).remaining(hasKey: true) == nil)
    }
}
