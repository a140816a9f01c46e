/// Token ↔ id, by the bytes of the token.
///
/// A dictionary of `String` would take "é" in its two spellings for one key; vocabularies have both. Open addressing
/// over one block of bytes: about 20 bytes a token beside its text, one probe a lookup.
struct Vocabulary: Sendable {
    private var text: [UInt8] = []
    /// Entry → end of its bytes in `text`.
    private var ends: [Int32] = [0]
    private var ids: [Int32] = []
    /// Slot → entry, −1 where it is free; a power of two.
    private var slots: [Int32] = []
    /// Id → entry, −1 for an id without a token.
    private var entries: [Int32] = []

    /// Tokens; the first of two of the same bytes counts, as later ones are never found.
    var count: Int { ids.count }
    /// One more than the largest id.
    var idCount: Int { entries.count }

    init() {}

    mutating func reserve(_ count: Int) {
        ids.reserveCapacity(count)
        ends.reserveCapacity(count + 1)
        resize(to: 2 * count)
    }

    /// Adds a token; one that is there already gets the new id, as in Python's `json` the last of two keys counts.
    mutating func insert(_ token: some Collection<UInt8>, id: Int) {
        let token = Array(token)
        if 2 * (ids.count + 1) > slots.count { resize(to: max(16, 4 * ids.count)) }
        let slot = self.slot(of: token[...])
        if slots[slot] >= 0 {
            ids[Int(slots[slot])] = Int32(id)
        } else {
            slots[slot] = Int32(ids.count)
            ids.append(Int32(id))
            text += token
            ends.append(Int32(text.count))
        }
        if id >= entries.count { entries += Array(repeating: -1, count: id + 1 - entries.count) }
        entries[id] = slots[slot]
    }

    func id(of token: ArraySlice<UInt8>) -> Int? {
        guard !slots.isEmpty else { return nil }
        let entry = slots[slot(of: token)]
        return entry < 0 ? nil : Int(ids[Int(entry)])
    }

    func id(of token: String) -> Int? { id(of: Array(token.utf8)[...]) }

    /// The bytes of the token; nil for an id without one.
    func token(_ id: Int) -> ArraySlice<UInt8>? {
        guard entries.indices.contains(id), entries[id] >= 0 else { return nil }
        return bytes(Int(entries[id]))
    }

    private func bytes(_ entry: Int) -> ArraySlice<UInt8> { text[Int(ends[entry])..<Int(ends[entry + 1])] }

    private func slot(of token: ArraySlice<UInt8>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in token { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash ^ hash >> 29) & mask
        while slots[slot] >= 0, bytes(Int(slots[slot])) != token { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func resize(to wanted: Int) {
        var size = max(16, slots.count)
        while size < wanted { size *= 2 }
        guard size > slots.count else { return }
        slots = Array(repeating: -1, count: size)
        for entry in ids.indices { slots[slot(of: bytes(entry))] = Int32(entry) }
    }
}
