internal import Adapters
internal import Safetensors
internal import Torch
internal import WorkerProtocol

extension MergedAdapter {
    /// Vectors can be put together where all tasks scale a module on one side, by one coefficient for the whole module.
    mutating func checkGains() throws {
        let settings = context.settings
        let tasks = context.tasks
        guard !settings.method.isLearned || settings.granularity == .tensor else {
            throw MergeError.base(
                "(IA)³ adapters can't be merged to one at granularity \(settings.granularity.rawValue); set "
                    + "granularity to tensor, or adapter to false")
        }
        for (index, module) in modules {
            let shapes = owners(of: index).map { shape(of: index, task: $0) }
            if let place = shapes.firstIndex(where: { $0 != shapes[0] }) {
                throw fault(
                    tasks[owners(of: index)[place]],
                    "it scales the other side of \(module) than \(tasks[owners(of: index)[0]].name); set adapter to "
                        + "false"
                )
            }
        }
        let places = Dictionary(uniqueKeysWithValues: context.layers.indices.map { (context.layers[$0].name, $0) })
        var scaled: Set<Int> = []
        for index in whole.keys {
            let name = context.layers[index].name
            guard name.hasSuffix(".bias"), let weight = places[name.dropLast("bias".count) + "weight"],
                let module = modules[weight], !scalesInputs(weight)
            else { continue }
            let owners = owners(of: index)
            if let task = owners.first(where: { tasks[$0].replaces(name) }) {
                throw fault(
                    tasks[task], "\(name) is saved whole, and \(module) is scaled; set adapter to false")
            }
            guard !settings.method.isLearned else {
                throw fault(
                    tasks[owners[0]],
                    "its vector scales weight and bias of \(module), which a fit gives coefficients of their own; "
                        + "merge by task-arithmetic or average, or set adapter to false")
            }
            scaled.insert(index)
        }
        leaveOut(scaled)
    }

    /// The vector of one module, in the tasks' own shape.
    func gainSlots(of index: Int, in module: String) -> [SafetensorsWriter.Slot] {
        guard let shape = shape(of: index, task: owners(of: index)[0]) else { return [] }
        return [.init(name: "\(Self.prefix)\(module).ia3_l", dtype: .f32, shape: shape.lengths)]
    }

    /// Its elements: 1 + Σᵢ cᵢ (lᵢ − 1).
    func gains(of index: Int, _ weights: MergingWeights) throws -> [Float] {
        let owners = owners(of: index)
        let lengths = shape(of: index, task: owners[0])?.lengths ?? []
        var values = [Float](repeating: 1, count: lengths.reduce(1, *))
        for task in owners {
            guard let update = try context.vectors.update(of: task, layer: index) else { continue }
            let gains = update.left.isEmpty ? update.right : update.left
            let coefficient = Float(Coefficients.of(task, index, weights, context.vectors)[0])
            for place in values.indices {
                values[place] += coefficient * gains[place * (gains.count / values.count)]
            }
        }
        return values
    }

    /// Whether the layer's vectors scale what goes into the module.
    func scalesInputs(_ index: Int) -> Bool {
        guard let shape = shape(of: index, task: owners(of: index)[0]) else { return false }
        return shape.lengths.count == 2 && shape.lengths[0] != shape.lengths[1]
            ? shape.lengths[0] == 1 : !shape.scalesRows
    }

    private struct Shape: Equatable {
        var lengths: [Int]
        var scalesRows: Bool
    }

    /// The task's vector for the layer.
    private func shape(of index: Int, task: Int) -> Shape? {
        guard let adapter = context.tasks[task].adapter else { return nil }
        switch adapter.updates[context.layers[index].name]?.structure {
        case .rowGains(let vector):
            return Shape(lengths: adapter.file.entry(vector.name)?.shape ?? [], scalesRows: true)
        case .columnGains(let vector, _):
            return Shape(lengths: adapter.file.entry(vector.name)?.shape ?? [], scalesRows: false)
        case .lowRank, nil: return nil
        }
    }
}
