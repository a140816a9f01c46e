import Examples
import Files
import Foundation
import Testing

/// What becomes of images, against Pillow 13 and the image processors of transformers: the same bits
/// (`Tools/make_image_fixtures.py`).
@Suite struct ImageParityTests {
    private struct Expected: Decodable {
        struct Image: Decodable {
            var file: String
            var width: Int
            var height: Int
            var sha256: String
        }

        struct Resized: Decodable {
            var file: String
            var resample: Int
            var width: Int
            var height: Int
            var sha256: String
        }

        struct Processor: Decodable {
            struct Image: Decodable {
                var file: String
                var shape: [Int]
                var sha256: String
            }

            var `class`: String
            var config: [String: JSONValue]
            var images: [Image]
        }

        var images: [Image]
        var resized: [Resized]
        var processors: [Processor]
    }

    private static let committed = Bundle.module.url(forResource: "Fixtures/images", withExtension: nil)

    /// A Python with Pillow and transformers.
    private static let python: String? = {
        guard let path = ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"] else { return nil }
        let question = "import transformers, PIL; raise SystemExit(int(PIL.__version__.split('.')[0]) < 13)"
        return (try? run(path, ["-c", question])) == 0 ? path : nil
    }()

    private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func compare(_ folder: URL) throws {
        func image(_ file: String) throws -> RGBImage {
            try ImageFile.decode(Array(try Data(contentsOf: folder.appending(path: file))))
        }
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: folder.appending(path: "expected.json")))
        for one in expected.images {
            let decoded = try image(one.file)
            #expect((decoded.width, decoded.height) == (one.width, one.height), "\(one.file)")
            #expect(Digest.sha256(decoded.pixels) == one.sha256, "\(one.file)")
        }
        for one in expected.resized {
            let filter = try #require(ImageFilter(rawValue: one.resample))
            let resized = try image(one.file).resized(width: one.width, height: one.height, filter)
            #expect(Digest.sha256(resized.pixels) == one.sha256, "\(one)")
        }
        for one in expected.processors {
            var file: [UInt8] = []
            JSONValue.object(one.config).write(into: &file)
            let processor = try ImageProcessor(["preprocessor_config.json": file])
            for wanted in one.images {
                let planes = processor.planes(of: try processor.prepared(image(wanted.file)))
                let bytes = planes.values.flatMap { value in
                    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
                }
                #expect([3, planes.height, planes.width] == wanted.shape, "\(one.class), \(wanted.file)")
                #expect(Digest.sha256(bytes) == wanted.sha256, "\(one.class) \(one.config), \(wanted.file)")
            }
        }
        #expect(!expected.images.isEmpty && !expected.resized.isEmpty && !expected.processors.isEmpty)
    }

    @Test func committedFilesOfEveryKindAreWhatPillowReads() throws {
        try compare(try #require(Self.committed))
    }

    @Test(.enabled(if: python != nil, "SUPERMERGE_PYTHON names no Python with Pillow 13 and transformers"))
    func randomImagesAreWhatPillowReads() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "images-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Tools/make_image_fixtures.py")
        let seed = Int.random(in: 0..<1_000_000)
        let status = try Self.run(try #require(Self.python), [script.path, folder.path, "12", "\(seed)"])
        try #require(status == 0)
        try compare(folder)
    }
}
