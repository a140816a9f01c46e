/// Special tokens around one text or a pair, as the `post_processor` of tokenizer.json names them.
struct PostProcessor: Sendable {
    /// An element of a template.
    enum Element: Hashable, Sendable {
        case first(type: Int)
        case second(type: Int)
        case special(ids: [Int], type: Int)
    }

    var single: [Element] = [.first(type: 0)]
    var pair: [Element] = [.first(type: 0), .second(type: 1)]

    /// How many tokens it adds.
    func addedCount(isPair: Bool) -> Int {
        (isPair ? pair : single).reduce(0) { count, element in
            if case .special(let ids, _) = element { count + ids.count } else { count }
        }
    }

    /// Tokens of `maximum` that it leaves for texts. Throws where it adds more than these.
    func room(in maximum: Int, isPair: Bool) throws(TokenizerError) -> Int {
        let added = addedCount(isPair: isPair)
        guard added <= maximum else { throw .noRoom(added: added, maximum: maximum) }
        return maximum - added
    }

    func apply(_ first: [Int], _ second: [Int]?) -> Encoding {
        var encoding = Encoding()
        for element in second == nil ? single : pair {
            switch element {
            case .first(let type): encoding.append(first, type: type, isSpecial: false)
            case .second(let type): encoding.append(second ?? [], type: type, isSpecial: false)
            case .special(let ids, let type): encoding.append(ids, type: type, isSpecial: true)
            }
        }
        return encoding
    }
}

/// Ids of a text or a pair, each with its segment (`token_type_ids`) and whether it was added.
package struct Encoding: Hashable, Sendable {
    package var ids: [Int] = []
    package var types: [Int] = []
    package var isSpecial: [Bool] = []
    /// Whether tokens of the text were left out, because there was no room for them.
    package var isCut = false

    package init() {}

    mutating func append(_ added: [Int], type: Int, isSpecial special: Bool) {
        ids += added
        types += Array(repeating: type, count: added.count)
        isSpecial += Array(repeating: special, count: added.count)
    }
}
