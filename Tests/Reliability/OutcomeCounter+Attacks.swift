extension OutcomeCounter {
    /// Of attacks that have to be refused for a certain reason, or else to be harmless.
    package convenience init(attacks suite: String, _ what: String) {
        self.init(suite, what, forbidden: ["not refused", "refused for another reason"])
    }

    /// Notes how an attack ended, and writes what was counted so far: where each attack is a test of its own, none is
    /// the last.
    package func note(refused isRefused: Bool, asExpected isExpected: Bool) throws {
        switch (isRefused, isExpected) {
        case (true, true): note("refused, as it has to be")
        case (false, true): note("not refused, as it has to be")
        case (true, false): note("refused for another reason")
        case (false, false): note("not refused")
        }
        try write()
    }
}
