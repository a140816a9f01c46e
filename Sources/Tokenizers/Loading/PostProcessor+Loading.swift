internal import Files

extension PostProcessor {
    /// Nil for one that adds nothing.
    init?(_ component: Component) throws(TokenizerError) {
        switch component.type {
        case "ByteLevel": return nil
        case "Sequence":
            var found: PostProcessor?
            for step in try component.components("processors") {
                guard let next = try PostProcessor(step) else { continue }
                guard found == nil else { throw component.unsupported }
                found = next
            }
            guard let found else { return nil }
            self = found
        case "BertProcessing":
            let (start, end) = (try component.token("cls"), try component.token("sep"))
            single = [.special(ids: [start], type: 0), .first(type: 0), .special(ids: [end], type: 0)]
            pair = single + [.second(type: 1), .special(ids: [end], type: 1)]
        case "RobertaProcessing":
            let (start, end) = (try component.token("cls"), try component.token("sep"))
            single = [.special(ids: [start], type: 0), .first(type: 0), .special(ids: [end], type: 0)]
            pair = single + [.special(ids: [end], type: 0), .second(type: 0), .special(ids: [end], type: 0)]
        case "TemplateProcessing":
            let special = try component.component("special_tokens")
            single = try Self.template(component, "single", special)
            pair = try Self.template(component, "pair", special)
        default: throw component.unsupported
        }
    }

    private static func template(
        _ component: Component, _ key: String, _ special: Component
    ) throws(TokenizerError) -> [Element] {
        var elements: [Element] = []
        for item in try component.components(key) {
            if item.members["Sequence"] != nil {
                let sequence = try item.component("Sequence")
                let type = try sequence.identifier("type_id", default: 0)
                switch try sequence.string("id") {
                case "A": elements.append(.first(type: type))
                case "B": elements.append(.second(type: type))
                case let other: throw sequence.mismatch("id", "A or B", .string(other))
                }
            } else {
                let token = try item.component("SpecialToken")
                var ids: [Int] = []
                for id in try special.component(try token.string("id")).list("ids") {
                    ids.append(try token.identifier("ids", id))
                }
                elements.append(.special(ids: ids, type: try token.identifier("type_id", default: 0)))
            }
        }
        return elements
    }
}

extension OffsetTrimming {
    /// Nil for a post-processor that leaves offsets as they are.
    init?(_ component: Component) throws(TokenizerError) {
        switch component.type {
        case "ByteLevel", "RobertaProcessing":
            guard try component.bool("trim_offsets", default: true) else { return nil }
            keepsFirstSpace = try component.bool("add_prefix_space", default: true)
        case "Sequence":
            for step in try component.components("processors") {
                guard let found = try OffsetTrimming(step) else { continue }
                self = found
                return
            }
            return nil
        default: return nil
        }
    }
}

extension Component {
    /// The id of `["[CLS]", 101]`.
    func token(_ key: String) throws(TokenizerError) -> Int {
        let pair = try list(key)
        guard pair.count == 2 else { throw mismatch(key, "a token and its id", members[key] ?? .null) }
        return try identifier(key, pair[1])
    }
}
