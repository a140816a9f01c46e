internal import Files
internal import WorkerProtocol

/// Tags of tokens that make spans: `O`, or a letter of B, I, E and S and, behind a hyphen, the kind of span.
enum SpanTags {
    /// A span of tokens of one kind.
    struct Span: Hashable {
        var kind: Substring
        var first: Int
        var last: Int
    }

    /// The spans of a sequence, as seqeval reads it by default: a span begins with B or S, behind an E or S, behind O,
    /// or where the kind changes.
    static func spans(of tags: [String]) -> Set<Span> {
        var spans: Set<Span> = []
        var open: (kind: Substring, first: Int)?
        var (last, lastKind): (Character, Substring) = ("O", "")
        for (place, whole) in (tags + ["O"]).enumerated() {
            let tag = whole.first ?? "O"
            let kind = self.kind(of: whole)
            let isApart = tag == "B" || tag == "S" || tag == "O" || last == "E" || last == "S" || kind != lastKind
            if let begun = open, isApart {
                spans.insert(Span(kind: begun.kind, first: begun.first, last: place - 1))
                open = nil
            }
            if tag != "O", open == nil, isApart || last == "O" { open = (kind, place) }
            (last, lastKind) = (tag, kind)
        }
        return spans
    }

    private static func kind(of tag: String) -> Substring {
        let rest = tag.dropFirst()
        guard let hyphen = rest.firstIndex(of: "-") else { return rest.isEmpty ? "_" : rest }
        return rest[rest.index(after: hyphen)...]
    }

    /// The names of a task's classes where its metric is that of spans; none for any other. Throws where they are not
    /// known or are no tags.
    static func names(of task: TaskSource, base: String) throws -> [String] {
        let metric = task.settings.metric ?? Metric(of: task.settings.objective)
        guard metric == .spanF1 else { return [] }
        var names = task.examples?.encoding.classes ?? []
        for directory in [task.directory, base] where names.isEmpty {
            let path = "\(directory)/\(HeadConfiguration.fileName)"
            guard try FileStatus.ifPresent(path, followingLinks: true) != nil else { continue }
            let bytes = try ReadableFile(path: path, followingLinks: true).contents(limit: HeadConfiguration.longest)
            names = HeadConfiguration(bytes)?.classNames ?? []
        }
        guard !names.isEmpty else {
            throw MergeError.task(
                task.name,
                "metric f1-span needs the names of the classes; add the config.json of the fine-tune with its "
                    + "id2label, or choose metric token-accuracy")
        }
        if let name = names.first(where: { !isTag($0) }) {
            throw MergeError.task(
                task.name,
                "invalid tag '\(name.prefix(80))' in id2label; metric f1-span expects O, or B-, I-, E- or S- and a "
                    + "kind; choose metric token-accuracy")
        }
        return names
    }

    private static func isTag(_ name: String) -> Bool {
        name == "O" || "BIES".contains(name.first ?? " ") && (name.count == 1 || name.dropFirst().first == "-")
    }
}
