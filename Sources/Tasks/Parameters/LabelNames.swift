import Files

/// The names of a head's classes by `id2label`, in the order of the classes.
package struct LabelNames: Hashable, Sendable {
    /// By class.
    package let names: [String]

    /// The names in a `config.json`: of `id2label`, an object or a list, else of `label2id`. Names that are numbers
    /// count as Python writes them. Nil where it names no classes, or has the names that transformers makes up
    /// (`LABEL_0`, …).
    package init?(configuration bytes: [UInt8]) {
        guard let values = try? JSONValue.members(parsing: bytes, .python) else { return nil }
        var named: [Int: String] = [:]
        switch values["id2label"] {
        case .object(let labels)?:
            for (key, name) in labels { if let id = Self.class(key), let name = name.pythonText { named[id] = name } }
        case .array(let labels)?:
            for (id, name) in labels.enumerated() { if let name = name.pythonText { named[id] = name } }
        default: break
        }
        if named.isEmpty, case .object(let classes)? = values["label2id"] {
            for (name, id) in classes { if let id = id.integer ?? id.text.flatMap(Self.class) { named[id] = name } }
        }
        let numbered = named.sorted { $0.key < $1.key }
        guard !numbered.allSatisfy({ $0.value.lowercased() == "label_\($0.key)" }) else { return nil }
        names = numbered.map(\.value)
    }

    /// The number that Python's `int` reads.
    private static func `class`(_ text: String) -> Int? { Int(text.filter { !$0.isWhitespace }) }

    /// The first class that has another name in `other`; nil where all have the same. Case and spaces do not count.
    private func difference(from other: LabelNames) -> Int? {
        func plain(_ name: String) -> String { name.lowercased().filter { !"_- ".contains($0) } }
        let count = max(names.count, other.names.count)
        return (0..<count).first { index in
            guard index < names.count, index < other.names.count else { return true }
            return plain(names[index]) != plain(other.names[index])
        }
    }

    /// The tasks, by name, whose merged head has other classes than that of the first, in this order, that names any.
    package static func strangers(
        among tasks: [(name: String, labels: LabelNames?)]
    ) -> [(name: String, fault: AdmissionFault)] {
        guard let first = tasks.first(where: { $0.labels != nil }), let reference = first.labels else { return [] }
        return tasks.compactMap { task in
            task.labels?.fault(against: reference, of: "task \(first.name)'s").map { (task.name, $0) }
        }
    }

    /// Why a head of these classes can't be merged into one of `other`'s, which is `whose`; nil where it can.
    package func fault(against other: LabelNames, of whose: String) -> AdmissionFault? {
        guard let index = difference(from: other) else { return nil }
        func name(_ labels: LabelNames) -> String {
            labels.names.indices.contains(index) ? "\"\(shown(labels.names[index]))\"" : "not there"
        }
        return .refused(
            code: "labels-differ",
            message:
                "class \(index) is \(name(self)) by its config.json and \(name(other)) in \(whose), so that one merged "
                + "head would mix them; give the task a head of its own: name the head's tensors in task.yaml, such as "
                + "`head: [classifier.]`")
    }
}

extension JSONValue {
    /// What Python's `str` makes of a scalar; nil for anything else.
    fileprivate var pythonText: String? {
        switch self {
        case .bool(let flag): flag ? "True" : "False"
        default: scalar
        }
    }
}
