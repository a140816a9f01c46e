extension TokenModel {
    /// The ids of a piece and the bytes of it that each stands for.
    func segments(of piece: ArraySlice<UInt8>) -> [(id: Int, range: Range<Int>)] {
        let whole = piece.indices
        guard !whole.isEmpty else { return [] }
        switch self {
        case .wordLevel: return ids(of: piece).map { ($0, whole) }
        case .wordPiece(let model): return model.segments(of: piece)
        case .bpe(let model): return model.segments(of: piece)
        case .unigram(let model): return model.segments(of: piece)
        }
    }
}

extension WordPiece {
    func segments(of piece: ArraySlice<UInt8>) -> [(id: Int, range: Range<Int>)] {
        let ids = ids(of: piece)
        guard ids.count > 1 else { return ids.map { ($0, piece.indices) } }
        var start = piece.startIndex
        return ids.map { id in
            let length = (vocabulary.token(id)?.count ?? 0) - (start > piece.startIndex ? prefix.count : 0)
            defer { start += length }
            return (id, start..<start + length)
        }
    }
}
