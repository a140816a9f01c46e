import WorkerProtocol

/// What a configured program that answers on its standard output came to.
enum CommandAnswer {
    /// The answer of a program that ended well; else `HookFailure` with the last line of its errors.
    static func bytes(_ answer: ChildProcess.Answer) throws -> [UInt8] {
        let said =
            String(decoding: answer.errors.suffix(HookCaller.longestOutput), as: UTF8.self)
            .split(whereSeparator: \.isNewline).last.map { ": \(HookCaller.short(String($0)))" } ?? ""
        switch answer.status {
        case .exited(0): return answer.output
        case .exited(let code): throw HookFailure("it ended with status \(code)\(said)")
        case .signaled(let signal): throw HookFailure("it was ended by signal \(signal)\(said)")
        }
    }

    /// What `work` gives; `HookFailure` where it takes longer than `limit`, or is cancelled.
    static func within(
        _ limit: Duration, _ clock: any Clock<Duration>, _ work: @escaping @Sendable () async throws -> [UInt8]
    ) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await clock.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let bytes = first else {
                throw HookFailure("no answer within \(Quantity.text(limit))")
            }
            return bytes
        }
    }
}
