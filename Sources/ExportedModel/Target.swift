import Torch

/// What a node calls, by the dispatcher's name: `torch.ops.aten.add.Tensor` is `aten::add`, overload `Tensor`.
struct Target {
    let name: String
    private let overload: String
    private let isSymbolic: Bool

    init(_ target: String) {
        let parts = target.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        isSymbolic = parts.count != 5 || parts[0] != "torch" || parts[1] != "ops"
        name = isSymbolic ? target : "\(parts[2])::\(parts[3])"
        overload = isSymbolic || parts[4] == "default" ? "" : parts[4]
    }

    /// Nil where nothing here can run it.
    func find() throws(TorchError) -> Operator? {
        isSymbolic ? try Compatibility.findSymbolic(name) : try Compatibility.find(name, overload)
    }
}
