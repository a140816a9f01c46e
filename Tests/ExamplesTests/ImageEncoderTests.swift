import Examples
import Files
import Foundation
import Safetensors
import Testing
import WorkerProtocol

/// Tables of images: what is written, and what is refused.
@Suite struct ImageEncoderTests {
    private static let processor = #"{"image_processor_type": "ViTImageProcessor", "size": {"height": 4, "width": 6}}"#

    private static func fixture(_ name: String) throws -> [UInt8] {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures/images", withExtension: nil))
        return Array(try Data(contentsOf: folder.appending(path: name)))
    }

    private struct Written {
        var shape: [Int] = []
        var labels: [Int64] = []
        var metadata: [String: String] = [:]
        var preview: [String] = []
    }

    /// Encodes a table whose images are the fixtures of the same names. `contents` overrides the base's files.
    private func encode(
        _ table: String, name: String = "validation.csv", images: [String: [UInt8]] = [:],
        contents: [String: String] = ["preprocessor_config.json": processor], classes: [String] = ["cat", "dog"],
        image: ExampleEncoding.ImageInput = .init(name: "pixel_values", channels: 3),
        settings: TaskSettings = TaskSettings(), inputs: [String] = ["pixel_values"]
    ) throws -> Written {
        let folder = FileManager.default.temporaryDirectory.appending(path: "image-encoder-\(UUID().uuidString)")
        try Durable.createDirectories(folder.path)
        defer { try? Durable.remove(folder.path) }
        let output = folder.appending(path: "encoded.safetensors").path
        let encoding = ExampleEncoding(
            settings, classes: classes, inputs: inputs.map { .init(name: $0) }, image: image)
        let encoder = try ImageEncoder(contents.mapValues { Array($0.utf8) }, encoding, image)
        let known = ["validation/rgb.png", "validation/baseline.jpg", "images/grey.png", "validation/turned-6.jpg"]
        let all = Set(known + images.keys)
        try encoder.write(try ExampleTable(file: name, bytes: Array(table.utf8)), all, to: output) { path in
            try images[path] ?? Self.fixture(path.splitPath.name)
        }
        let file = try SafetensorsFile(file: ReadableFile(path: output))
        var written = Written(shape: try #require(file.entry("pixel_values")).shape, metadata: file.metadata)
        if let labels = file.entry("labels") { try file.forEachInteger(of: labels) { written.labels.append($0) } }
        written.preview = try ExamplePreview.images(of: file, classes: classes).map(\.text)
        return written
    }

    /// Why a table is refused.
    private func refusal(_ body: () throws -> Written) -> ExamplesError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? ExamplesError
        }
    }

    @Test func writesOneRowForEachImageAndNamesTheFirst() throws {
        let written = try encode(
            "file,label\nrgb.png,dog\n./validation/baseline.jpg,0\nimages/grey.png,cat\nrgb.png,1\n")
        #expect(written.shape == [4, 3, 4, 6] && written.labels == [1, 0, 0, 1])
        #expect(written.metadata[ImageEncoder.unusedKey] == "1")
        #expect(
            written.preview == [
                "validation/rgb.png, 37 × 23 pixels → dog", "validation/baseline.jpg, 37 × 23 pixels → cat",
                "images/grey.png, 37 × 23 pixels → cat",
            ])
    }

    @Test func readsTablesOfImagefolderAndOtherColumns() throws {
        let jsonl =
            "{\"file_name\": \"rgb.png\", \"label\": 1}\n{\"file_name\": \"turned-6.jpg\", \"label\": \"cat\"}\n"
        #expect(try encode(jsonl, name: "validation/metadata.jsonl").labels == [1, 0])
        let settings = TaskSettings(columns: ["image": "shot", "label": "kind"])
        #expect(try encode("shot,kind\nrgb.png,dog\n", settings: settings).labels == [1])
        #expect(try encode("image\nrgb.png\n").labels.isEmpty)
    }

    @Test(arguments: [
        ("file,label\n../rgb.png,0\n", "validation.csv:2: invalid file: \"../rgb.png\"; expected a path below"),
        ("file,label\n/etc/rgb.png,0\n", "validation.csv:2: invalid file: \"/etc/rgb.png\""),
        ("file,label\nrgb.png,0\nvalidation/../../x.png,0\n", "validation.csv:3: invalid file: "),
        (
            "file,label\nother.png,0\n",
            "validation.csv:2: there is no image \"other.png\"; expected a .png, .jpg or .jpeg"
        ),
        ("file,label\nrgb.png,bird\n", "validation.csv:2: invalid label: \"bird\"; expected one of cat, dog"),
        (
            "name,label\nrgb.png,0\n",
            "validation.csv has no image column: it has label, name; expected one of file, image"
        ),
        (
            "file,image,label\nrgb.png,rgb.png,0\n",
            "validation.csv has several columns that could be the image: file, image"
        ),
    ])
    func refusesRowsByTheirLine(table: String, message: String) {
        let error = refusal { try encode(table) }
        #expect(
            error?.code == "invalid-examples" && "\(error.map { "\($0)" } ?? "")".hasPrefix(message), "\(error as Any)")
    }

    @Test func refusesDamagedAndForeignFilesByTheirName() throws {
        let (png, jpeg) = (try Self.fixture("rgb.png"), try Self.fixture("baseline.jpg"))
        var changed = png
        changed[png.count / 2] ^= 0x55
        var bomb = png
        bomb.replaceSubrange(16..<24, with: [0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60])
        bomb.replaceSubrange(29..<33, with: Self.crc(of: bomb[12..<29]))
        let files: [([UInt8], String)] = [
            (Array(png.dropLast(20)), "validation/x.png is damaged (the file ends too early): copy it again"),
            (
                Array(jpeg.prefix(jpeg.count / 2)),
                "validation/x.png is damaged (the file ends too early): copy it again"
            ),
            (Array(png.prefix(20)), "validation/x.png is damaged ("),
            (Array(jpeg.prefix(3)), "validation/x.png is damaged ("),
            (changed, "validation/x.png is damaged ("),
            (bomb, "validation/x.png has 60000 × 60000 pixels; expected at most 64 Mi"),
            (Array("GIF89a".utf8), "validation/x.png is a GIF image; expected a PNG or JPEG file: convert it"),
            (Array("RIFF....WEBPVP8 ".utf8), "validation/x.png is a WebP image"), ([], "validation/x.png is empty"),
            (Array("hello".utf8), "validation/x.png is no image; expected a PNG or JPEG file"),
        ]
        for (bytes, message) in files {
            let error = refusal { try encode("file,label\nx.png,0\n", images: ["validation/x.png": bytes]) }
            #expect(error?.code == "invalid-examples")
            #expect("\(error.map { "\($0)" } ?? "")".hasPrefix(message), "\(error as Any)")
        }
    }

    private static func crc(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: ~value >> (24 - 8 * UInt32($0))) }
    }

    @Test(arguments: [
        (#"{"image_processor_type": "DonutImageProcessor"}"#, "has an image processor of class Donut"),
        (#"{"size": 4}"#, "has no image_processor_type"),
        (#"{"image_processor_type": "ViTImageProcessorFast", "do_pad": true}"#, "has the key `do_pad` (true)"),
        (#"{"image_processor_type": "ViTImageProcessor", "do_flip_channel_order": true}"#, "`do_flip_channel_order`"),
        (#"{"image_processor_type": "ViTImageProcessor", "size": {"longest_edge": 4}}"#, "invalid `size`: an object"),
        (#"{"image_processor_type": "ViTImageProcessor", "size": 900000}"#, "invalid `size`: 900000"),
        (#"{"image_processor_type": "ViTImageProcessor", "resample": 9}"#, "invalid `resample`: 9"),
        (#"{"image_processor_type": "ViTImageProcessor", "image_std": [0, 1, 1]}"#, "invalid `image_std`"),
        (#"{"image_processor_type": "ViTImageProcessor", "image_mean": [1, 1]}"#, "invalid `image_mean`"),
        (#"{"image_processor_type": "ViTImageProcessor", "do_resize": "yes"}"#, "invalid `do_resize`: \"yes\""),
        (#"{"image_processor_type": "ConvNextImageProcessor", "size": {"height": 4, "width": 4}}"#, "invalid `size`"),
        (#"{"image_processor_type": "CLIPImageProcessor""#, "preprocessor_config.json: "),
    ])
    func refusesProcessorsByName(file: String, message: String) {
        let error = refusal { try encode("file,label\nrgb.png,0\n", contents: ["preprocessor_config.json": file]) }
        #expect(
            error?.code == "unsupported-processor" && "\(error.map { "\($0)" } ?? "")".contains(message),
            "\(error as Any)")
    }

    @Test func refusesWhatDoesNotFitTogether() {
        let kept = #"{"image_processor_type": "ViTImageProcessor", "do_resize": false}"#
        let two = "file,label\nrgb.png,0\nturned-6.jpg,1\n"
        let cases: [(String, ExamplesError?)] = [
            (
                "validation/turned-6.jpg becomes 5 × 8 pixels, another image 37 × 23",
                refusal { try encode(two, contents: ["preprocessor_config.json": kept]) }
            ),
            (
                "validation/rgb.png becomes 6 × 4 pixels, and the graph takes 8 × 8",
                refusal { try encode(two, image: .init(name: "pixel_values", channels: 3, height: 8, width: 8)) }
            ),
            ("the base has no preprocessor_config.json", refusal { try encode(two, contents: [:]) }),
            (
                "the model takes images of 1 channels",
                refusal { try encode(two, image: .init(name: "p", channels: 1), inputs: ["p"]) }
            ),
            (
                "the model takes 'input_ids', which no image",
                refusal { try encode(two, inputs: ["pixel_values", "input_ids"]) }
            ),
            (
                "some examples have a label and some",
                refusal {
                    try encode(
                        "{\"file\": \"rgb.png\", \"label\": 0}\n{\"file\": \"rgb.png\"}\n", name: "validation.jsonl")
                }
            ),
            (
                "objective token-classification is not",
                refusal { try encode(two, settings: TaskSettings(objective: .tokenClassification)) }
            ),
        ]
        for (message, error) in cases {
            #expect("\(error.map { "\($0)" } ?? "")".contains(message), "\(message): \(error as Any)")
        }
    }

    @Test func prefersTheProcessorOfTheJointFile() throws {
        let joint = #"{"image_processor": {"image_processor_type": "ViTImageProcessor", "size": 5}}"#
        let both = ["processor_config.json": joint, "preprocessor_config.json": Self.processor]
        #expect(try encode("file\nrgb.png\n", contents: both).shape == [1, 3, 5, 5])
        let named = ["preprocessor_config.json": #"{"size": 6}"#, "config.json": #"{"model_type": "vit"}"#]
        #expect(try encode("file\nrgb.png\n", contents: named).shape == [1, 3, 6, 6])
    }
}
