internal import Files
internal import Safetensors
internal import Torch

/// The trunk of the model that is being calibrated, of which some layers are solved for already.
///
/// Of a resident model the solutions are written into its parameters. Of a streamed one every tensor is formed when it
/// is asked for; a solution is held until its layer has run and lies in a file of the scratch folder from then on.
///
/// Memory: resident none of its own; streamed the tensors that were asked for since `release`.
final class CalibratedWeights {
    private let parameters: ModelParameters
    private let file: ScratchFile?
    /// Bytes of the file where a solution lies.
    private var offsets: [Int: Int64] = [:]
    /// Tensors in memory: those solved for, and those formed.
    private var held: [Int: Tensor] = [:]

    /// `scratch`: folder for what a streamed model does not keep.
    init(_ parameters: ModelParameters, scratch: String) throws {
        self.parameters = parameters
        try Durable.createDirectories(scratch)
        file = try parameters.isResident ? nil : ScratchFile(path: scratch + "/calibrated.tmp")
    }

    /// θ(j) as the calibrated model has it now.
    func current(_ layer: Int) throws -> Tensor {
        guard !parameters.isResident else { return parameters.tensors[layer] }
        if let tensor = held[layer] { return tensor }
        let tensor = try stored(layer) ?? parameters.formed(layer)
        held[layer] = tensor
        return tensor
    }

    /// The same of a layer that was not solved for; nil of one that was, and of a resident model. Where no task moves
    /// the layer, these are the base's and every checkpoint's weights too: one tensor serves all.
    func unsolved(_ layer: Int) throws -> Tensor? {
        parameters.isResident || offsets[layer] != nil ? nil : try current(layer)
    }

    /// A layer in 16 bits, where the checkpoint holds it so and the model is streamed.
    func narrow(_ layer: Int, from checkpoint: Checkpoint) throws -> Tensor? {
        try parameters.narrow(layer, from: checkpoint)
    }

    /// Takes a solution over.
    func take(_ value: Tensor, of layer: Int) throws {
        guard let file else { return try parameters.tensors[layer].copy(value) }
        let tensor = try Tensor(empty: parameters.layers[layer].shape)
        try tensor.copy(value)
        let offset = offsets[layer] ?? file.count
        offsets[layer] = offset
        try unsafe tensor.withUnsafeMutableBytes { try unsafe file.write(UnsafeRawBufferPointer($0), at: offset) }
        held[layer] = tensor
    }

    /// Drops what a streamed model has in memory: no instruction at hand reads it any more.
    func release() { held = [:] }

    /// What a layer was solved to.
    func solution(_ layer: Int) throws -> Tensor { try stored(layer) ?? current(layer) }

    /// What of a streamed model lies in the file.
    private func stored(_ layer: Int) throws -> Tensor? {
        guard let file, let offset = offsets[layer] else { return nil }
        let tensor = try Tensor(empty: parameters.layers[layer].shape)
        try unsafe tensor.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: offset) }
        return tensor
    }
}
