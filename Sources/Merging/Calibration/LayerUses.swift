internal import ExportedModel
internal import Torch

/// Who fills and who reads each slot of a compiled graph: what finding its layers needs.
struct LayerUses {
    private let model: ExportedModel
    private let producers: [Int: Int]
    private let readers: [Int: [Int]]

    /// Operators that give the elements of their first input in the same order.
    private static let views: Set = [
        "aten::view", "aten::reshape", "aten::_unsafe_view", "aten::contiguous", "aten::clone", "aten::alias",
        "aten::detach",
        "aten::to", "aten::_to_copy", "aten::dropout", "aten::lift_fresh_copy",
    ]
    private static let transposes: Set = ["aten::t", "aten::transpose", "aten::permute", "aten::numpy_T"]

    init(_ model: ExportedModel) {
        self.model = model
        var producers: [Int: Int] = [:]
        var readers: [Int: [Int]] = [:]
        for (index, instruction) in model.instructions.enumerated() {
            for slot in instruction.writes { producers[slot] = index }
            for slot in Set(instruction.reads) { readers[slot, default: []].append(index) }
        }
        (self.producers, self.readers) = (producers, readers)
    }

    /// The layer that instruction `index` is; nil where it is none, or none that can be solved for.
    func layer(at index: Int) -> CalibrationLayer? {
        let instruction = model.instructions[index]
        guard let names = names(of: instruction), let output = instruction.writes.first,
            let input = slot(instruction, names.input), let weight = parameter(instruction, names.weight),
            model.isCut(at: index), model.isCut(at: index + 1)
        else { return nil }
        let hasBias = names.bias.flatMap { slot(instruction, $0) } != nil
        let bias = names.bias.flatMap { parameter(instruction, $0) }
        guard hasBias == (bias != nil), bias?.isTransposed != true,
            let kind = kind(instruction, isTransposed: weight.isTransposed, names)
        else { return nil }
        if kind == .channels || kind == .elements, !weight.chain.isEmpty || bias?.chain.isEmpty == false { return nil }
        // The pooler's norm of a vision tower, for example, is in the graph although no head reads it.
        let isRead = kind != .elements || model.liveSlots(at: index + 1).contains(output)
        guard isRead, kind != .elements || model.parameterName(at: input) == nil else { return nil }
        var stream: Int?
        if case .linear = kind { stream = addend(to: output, before: index) }
        return CalibrationLayer(
            kind: kind, instruction: index, input: input, output: output, weight: weight, bias: bias, stream: stream)
    }

    /// What an operator's schema calls the arguments of a layer.
    private struct Names {
        var input = "input"
        var weight = "weight"
        var bias: String? = "bias"
    }

    private static let names: [String: Names] = [
        "aten::linear": Names(), "aten::addmm": Names(input: "mat1", weight: "mat2", bias: "self"),
        "aten::mm": Names(input: "self", weight: "mat2", bias: nil),
        "aten::matmul": Names(input: "self", weight: "other", bias: nil),
        "aten::conv1d": Names(), "aten::conv2d": Names(), "aten::convolution": Names(),
        "aten::group_norm": Names(), "aten::batch_norm": Names(), "aten::_native_batch_norm_legit_no_training": Names(),
        "aten::layer_norm": Names(), "aten::native_layer_norm": Names(), "aten::rms_norm": Names(bias: nil),
        "aten::mul": Names(input: "self", weight: "other", bias: nil),
    ]

    /// Of a product of two tensors, either may be the parameter.
    private func names(of instruction: Instruction) -> Names? {
        guard let names = Self.names[instruction.operatorName] else { return nil }
        guard instruction.operatorName == "aten::mul", parameter(instruction, names.weight) == nil else { return names }
        return Names(input: names.weight, weight: names.input, bias: nil)
    }

    private func kind(_ instruction: Instruction, isTransposed: Bool, _ names: Names) -> CalibrationLayer.Kind? {
        switch instruction.operatorName {
        case "aten::linear": return isTransposed ? nil : .linear(isTransposed: false)
        case "aten::addmm":
            for factor in ["beta", "alpha"] {
                switch instruction.argument(factor) {
                case nil, .default, .int(1), .double(1): continue
                default: return nil
                }
            }
            return .linear(isTransposed: !isTransposed)
        case "aten::mm", "aten::matmul": return .linear(isTransposed: !isTransposed)
        case "aten::conv1d", "aten::conv2d", "aten::convolution": return isTransposed ? nil : convolution(instruction)
        case "aten::group_norm", "aten::batch_norm", "aten::_native_batch_norm_legit_no_training": return .channels
        default: return .elements
        }
    }

    private func convolution(_ instruction: Instruction) -> CalibrationLayer.Kind? {
        func integers(_ name: String, _ usual: Int) -> [Int]? {
            switch instruction.argument(name) {
            case nil, .default: [usual]
            case .int(let value): [value]
            case .list(let items):
                items.reduce(into: [Int]?.some([])) { result, item in
                    guard case .int(let value) = item else { return result = nil }
                    result?.append(value)
                }
            default: nil
            }
        }
        if case .bool(true)? = instruction.argument("transposed") { return nil }
        guard integers("groups", 1) == [1], let stride = integers("stride", 1), let padding = integers("padding", 0),
            let dilation = integers("dilation", 1)
        else { return nil }
        return .convolution(.init(stride: stride, padding: padding, dilation: dilation))
    }

    private func slot(_ instruction: Instruction, _ argument: String) -> Int? {
        guard case .slot(let slot)? = instruction.argument(argument) else { return nil }
        return slot
    }

    /// The parameter that an argument is, through transposes and views that nothing else reads.
    private func parameter(_ instruction: Instruction, _ argument: String) -> CalibrationLayer.Parameter? {
        guard var slot = slot(instruction, argument) else { return nil }
        var chain: [Int] = []
        var isTransposed = false
        while readers[slot]?.count == 1 {
            if let name = model.parameterName(at: slot) {
                return .init(slot: slot, name: name, chain: chain.reversed(), isTransposed: isTransposed)
            }
            guard let index = producers[slot], model.isCut(at: index), model.isCut(at: index + 1),
                case .slot(let source)? = model.instructions[index].arguments.first
            else { return nil }
            let name = model.instructions[index].operatorName
            guard Self.transposes.contains(name) || ["aten::to", "aten::_to_copy", "aten::contiguous"].contains(name)
            else { return nil }
            if Self.transposes.contains(name) { isTransposed.toggle() }
            chain.append(index)
            slot = source
        }
        return nil
    }

    /// What `output` is added to, where it goes nowhere else and the addend is no parameter and is there before
    /// instruction `index`.
    private func addend(to output: Int, before index: Int) -> Int? {
        var slot = output
        while let reader = readers[slot], reader.count == 1 {
            let instruction = model.instructions[reader[0]]
            if Self.views.contains(instruction.operatorName), let next = instruction.writes.first {
                slot = next
                continue
            }
            let terms = instruction.reads
            guard ["aten::add", "aten::add_"].contains(instruction.operatorName), terms.count == 2,
                let other = terms.first(where: { $0 != slot }), model.parameterName(at: other) == nil,
                producers[other].map({ $0 < index }) ?? false
            else { return nil }
            switch instruction.argument("alpha") {
            case nil, .default, .int(1), .double(1): return other
            default: return nil
            }
        }
        return nil
    }
}
