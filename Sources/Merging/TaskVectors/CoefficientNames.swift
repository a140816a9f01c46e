internal import Safetensors

/// What a layer's tensors in `merge/coefficients.safetensors` are called.
struct CoefficientNames: Hashable {
    let rows: String
    /// Where the layer has gains.
    let columns: String
    /// The correction's, where there is one.
    var correction = ""
    var correctionColumns = ""

    /// Those of each layer, called as in the base's files: of such a base older versions knew no other names.
    static func stored(_ layers: [Layer], _ base: Checkpoint) -> [CoefficientNames] {
        all(layers.map { base.storedName($0.name) })
    }

    /// Those that `file` has: by the names in the base's files, else by those that the layers have here.
    static func recorded(_ layers: [Layer], _ base: Checkpoint, in file: SafetensorsFile) -> [CoefficientNames] {
        zip(stored(layers, base), all(layers.map(\.name))).map { stored, here in
            file.entry(stored.rows) == nil ? here : stored
        }
    }

    /// The gains get names that no other tensor has.
    private static func all(_ names: [String]) -> [CoefficientNames] {
        var taken = Set(names)
        func free(_ name: String, _ suffix: String) -> String {
            var free = name + suffix
            while !taken.insert(free).inserted { free += suffix }
            return free
        }
        var all = names.map { CoefficientNames(rows: $0, columns: free($0, ":columns")) }
        for index in all.indices {
            all[index].correction = free(all[index].rows, ":correction")
            all[index].correctionColumns = free(all[index].correction, ":columns")
        }
        return all
    }
}
