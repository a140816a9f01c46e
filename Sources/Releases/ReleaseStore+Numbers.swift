internal import Files
internal import Foundation
internal import WorkerProtocol

extension ReleaseStore {
    /// The content of `.numbers.json`.
    struct Numbers: Codable, Hashable {
        /// Highest number ever used.
        var highest = 0
        /// Whether that number's publishing has begun and not ended.
        var pending = false
    }

    /// The content of `.numbers.json`, raised to the highest number in `versions/` and `CURRENT.json`, so that losing
    /// the file does not reuse a number.
    func numbers() throws -> Numbers {
        var numbers = Numbers()
        do {
            numbers = try JSON.decode(Numbers.self, from: Data(Durable.contents(numbersFile)))
        } catch let error as FilesError where error.errno != ENOENT {
            throw error
        } catch {
            // Missing or damaged: the existing releases decide.
        }
        if !(0...Self.highestNumber).contains(numbers.highest) { numbers = Numbers() }
        let standing = try Durable.list(versions).compactMap { Self.number($0) }.max() ?? 0
        let pointed = readPointer()?.version ?? 0
        let seen = max(standing, pointed <= Self.highestNumber ? pointed : 0)
        if seen > numbers.highest { numbers = Numbers(highest: seen, pending: false) }
        return numbers
    }

    func write(_ numbers: Numbers) throws {
        try Durable.replace(numbersFile, with: Array(JSON.encode(numbers)))
    }

    /// Completes a publish that a crash or an error interrupted: deletes a release that was never deployed.
    func settlePending() throws {
        var numbers = try numbers()
        guard numbers.pending else { return }
        // `CURRENT.json` is only ever renamed after `current` was switched.
        let wasLive =
            try currentNumber() == numbers.highest || pointer()?.version == numbers.highest
            || (try? candidateNumber()) == numbers.highest
        if !wasLive { try throwAway(numbers.highest) }
        numbers.pending = false
        try write(numbers)
    }

    /// Moves a release out of `versions/` in one rename and deletes it, if it exists.
    func throwAway(_ version: Int) throws {
        let directory = directory(of: version)
        guard let status = try FileStatus.ifPresent(directory) else { return }
        let trash = "\(stagings)/retired-\(version)"
        try Durable.remove(trash)
        // Renaming a directory into another one rewrites its `..`, which needs permission to write it.
        try Durable.changeMode(directory, to: status.mode | 0o700)
        try Durable.rename(directory, to: trash)
        try Durable.syncDirectory(versions)
        try Durable.remove(trash)
    }
}
