internal import Files

extension Checkpoint {
    /// Of groups of names that mean one tensor each: the names under which this checkpoint holds it, where they are several.
    package func shared(among groups: [[String]]) -> [[String]] {
        let own = Set(names)
        return groups.map { $0.filter(own.contains) }.filter { $0.count > 1 }
    }

    /// Why it can't stand for a model in which each group of names is one tensor; nil where it can.
    ///
    /// Reads what it holds under several names, a piece at a time. Memory: 2 MiB.
    package func untied(among groups: [[String]]) throws(SafetensorsError) -> String? {
        for group in shared(among: groups) {
            for name in group.dropFirst() {
                let isSame = try holdsSame(group[0], name)
                if !isSame { return Self.untied(group[0], name) }
            }
        }
        return nil
    }

    /// What is said of two names of one tensor that hold different values.
    package static func untied(_ first: String, _ second: String) -> String {
        "`\(shown(first))` and `\(shown(second))` hold different values, but the base ties them, so that one of the two would "
            + "be lost; tie them and save the model again, or fine-tune from an untied base (`tie_word_embeddings: false`)"
    }

    private func holdsSame(_ first: String, _ second: String) throws(SafetensorsError) -> Bool {
        guard let own = entry(first), let other = entry(second), own.dtype == other.dtype, own.shape == other.shape
        else {
            return false
        }
        let length = Int64(own.bytes.count)
        var position: Int64 = 0
        while position < length {
            let count = Int(min(length - position, 1 << 20))
            guard try bytes(of: first, at: position, count) == bytes(of: second, at: position, count) else {
                return false
            }
            position += Int64(count)
        }
        return true
    }

    private func bytes(of name: String, at offset: Int64, _ count: Int) throws(SafetensorsError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SafetensorsError) in
            unsafe try read(name, at: offset, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return bytes
    }
}
