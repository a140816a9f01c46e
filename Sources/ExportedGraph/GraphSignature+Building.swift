extension GraphSignature {
    /// Joins the signature's names with the types of the graph's values and the archive's storages.
    init(
        inputs: [GraphInput], outputs: [GraphArgument], body: GraphBlock, stored: [String: StoredTensor]
    ) {
        var tied: [String: [String]] = [:]
        for (name, tensor) in stored { tied[tensor.storage, default: []].append(name) }
        func slots(_ kind: GraphInput.Kind) -> [Slot] {
            inputs.filter { $0.kind == kind && $0.value != nil }.map { input in
                let meta = input.value.flatMap { body.tensors[$0] }
                let own = stored[input.name]
                let aliases = own.map { own in
                    (tied[own.storage] ?? []).filter { $0 != input.name && stored[$0]?.meta == own.meta }.sorted()
                }
                return Slot(
                    name: input.name, dtype: meta?.dtype ?? "", shape: meta?.shape ?? [], aliases: aliases ?? [],
                    rule: input.rule)
            }
        }
        var output: [Int?] = []
        if case .value(let name) = outputs.first { output = body.tensors[name]?.shape ?? [] }
        self.init(parameters: slots(.parameter), buffers: slots(.buffer), inputs: slots(.user), output: output)
    }
}
