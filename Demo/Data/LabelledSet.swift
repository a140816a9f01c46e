import Safetensors

/// Pictures with labels, as `finetune`, `evaluate` and the registry take them.
struct LabelledSet {
    private var pictures: [Picture]
    private var labels: [Int]

    init(_ examples: [(picture: Picture, label: Int)]) {
        pictures = examples.map(\.picture)
        labels = examples.map(\.label)
    }

    /// Gives every picture the label of the one before: the classic fault of two files that are read one row apart.
    mutating func slipLabels() {
        guard let last = labels.popLast() else { return }
        labels.insert(last, at: 0)
    }

    /// Writes `pixel_values` [N, 1, 28, 28] in f16 and `labels` [N] in i32.
    func write(to path: String) throws {
        let writer = try SafetensorsWriter(
            path: path,
            slots: [
                .init(name: "pixel_values", dtype: .f16, shape: [pictures.count, 1, Picture.side, Picture.side]),
                .init(name: "labels", dtype: .i32, shape: [labels.count]),
            ])
        for picture in pictures {
            let halves = picture.pixels.map { Float16($0).bitPattern.littleEndian }
            try unsafe halves.withUnsafeBytes { unsafe try writer.append($0) }
        }
        let integers = labels.map { Int32($0).littleEndian }
        try unsafe integers.withUnsafeBytes { unsafe try writer.append($0) }
        _ = try writer.finish()
    }
}
