internal import Files
internal import Safetensors
package import WorkerProtocol

/// Images to the tensors of a validation set, as transformers' image processor makes them of the same files.
package struct ImageEncoder: Sendable {
    let processor: ImageProcessor
    let input: ExampleEncoding.ImageInput
    let encoding: ExampleEncoding

    /// Key of the file's metadata that says how many images no row names.
    package static let unusedKey = "unused-images"
    /// Key of the file's metadata that names the first images with their sizes, as JSON.
    package static let previewKey = "images"
    /// Images that it names.
    private static let preview = 3

    /// `contents`: the base's files that decide how images are prepared.
    package init(
        _ contents: [String: [UInt8]], _ encoding: ExampleEncoding, _ input: ExampleEncoding.ImageInput
    ) throws(ExamplesError) {
        processor = try ImageProcessor(contents)
        self.input = input
        self.encoding = encoding
    }

    /// Encodes every row and writes the set as safetensors: float32 [examples, 3, height, width] and `labels`. One
    /// image is in memory at a time. `images`: their paths; `read` gives the bytes of one. The file appears whole.
    package func write(
        _ table: ExampleTable, _ images: Set<String>, to path: String, read: (String) throws -> [UInt8]
    ) throws {
        let names = encoding.inputs.map(\.name)
        if let other = names.filter({ $0 != input.name }).min() {
            throw ExamplesError.set(
                "\(table.file): the model takes '\(other)', which no image gives: provide validation.safetensors")
        }
        if let channels = input.channels, channels != 3 {
            throw ExamplesError.set(
                "\(table.file): the model takes images of \(channels) channels; images are encoded as RGB: provide "
                    + "validation.safetensors")
        }
        let rows = try ImageTable(
            table, images, encoding.objective, ClassNames(names: encoding.classes), columns: encoding.columns)
        var writer: SafetensorsWriter?
        var size: (height: Int, width: Int)?
        let temporary = path + ".tmp"
        // The header comes first, and the first images are named in it.
        var first: [(original: RGBImage, prepared: RGBImage)] = []
        for file in rows.paths.prefix(Self.preview) { first.append(try image(file, table, read)) }
        for (index, file) in rows.paths.enumerated() {
            let prepared = index < first.count ? first[index].prepared : try image(file, table, read).prepared
            try check(prepared, file, table, size)
            size = (prepared.height, prepared.width)
            if writer == nil {
                writer = try start(temporary, rows, prepared, first.map(\.original), table)
            }
            unsafe try processor.planes(of: prepared).values.withUnsafeBytes { unsafe try writer?.append($0) }
        }
        switch rows.labels {
        case .classes(let classes): unsafe try classes.withUnsafeBytes { unsafe try writer?.append($0) }
        case .numbers(let numbers): unsafe try numbers.withUnsafeBytes { unsafe try writer?.append($0) }
        case .none, .tokens: break
        }
        _ = try writer?.finish(sync: true)
        try Durable.rename(temporary, to: path)
    }

    private func image(
        _ file: String, _ table: ExampleTable, _ read: (String) throws -> [UInt8]
    ) throws -> (original: RGBImage, prepared: RGBImage) {
        let bytes = try read(file)
        do throws(ImageFile.Fault) {
            let original = try ImageFile.decode(bytes)
            return (original, try processor.prepared(original))
        } catch {
            throw ExamplesError.set("\(shown(file)) \(error)")
        }
    }

    /// Throws where an image would not fit beside the others, or into the graph.
    private func check(
        _ image: RGBImage, _ file: String, _ table: ExampleTable, _ size: (height: Int, width: Int)?
    ) throws(ExamplesError) {
        let found = "\(image.width) × \(image.height) pixels"
        if let size, size != (image.height, image.width) {
            throw .processor(
                "\(shown(file)) becomes \(found), another image \(size.width) × \(size.height): the base's image "
                    + "processor must make all of one size (height and width, or do_center_crop), or scale the images "
                    + "to one")
        }
        let wanted = (input.height ?? image.height, input.width ?? image.width)
        guard wanted == (image.height, image.width) else {
            throw .processor(
                "\(shown(file)) becomes \(found), and the graph takes \(wanted.1) × \(wanted.0): correct size or "
                    + "crop_size of the base's preprocessor_config.json")
        }
    }

    private func start(
        _ path: String, _ rows: ImageTable, _ image: RGBImage, _ first: [RGBImage], _ table: ExampleTable
    ) throws -> SafetensorsWriter {
        let count = rows.paths.count
        let bytes = count * 3 * image.height * image.width * 4
        guard bytes <= ExampleLimits.outputBytes else {
            throw ExamplesError.tooLarge(
                "\(table.file) names \(count) images, which are \(bytes >> 20) MiB when they are encoded; expected at "
                    + "most \(ExampleLimits.outputBytes >> 20): upload a few hundred examples")
        }
        var slots = [
            SafetensorsWriter.Slot(name: input.name, dtype: .f32, shape: [count, 3, image.height, image.width])
        ]
        switch rows.labels {
        case .classes: slots.append(.init(name: "labels", dtype: .i32, shape: [count]))
        case .numbers: slots.append(.init(name: "labels", dtype: .f32, shape: [count]))
        case .none, .tokens: break
        }
        let named = zip(rows.paths, first).map { path, image in
            JSONValue.object(["file": .string(path), "height": .integer(image.height), "width": .integer(image.width)])
        }
        var preview: [UInt8] = []
        JSONValue.array(Array(named)).write(into: &preview)
        try? Durable.remove(path)
        return try SafetensorsWriter(
            path: path, slots: slots,
            metadata: [
                Self.unusedKey: "\(rows.unused)", Self.previewKey: String(decoding: preview, as: UTF8.self),
            ])
    }
}
