internal import CImages
internal import WorkerProtocol

/// Decodes PNG and JPEG files to the RGB that Pillow's `Image.open(file).convert("RGB")` gives, turned upright as EXIF
/// says (`ImageOps.exif_transpose`): what the image processors of transformers do with a path.
package enum ImageFile {
    /// Why a file is no image that is read: a phrase for behind its name.
    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String

        init(_ description: String) { self.description = description }
    }

    private static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let jpegSignature: [UInt8] = [0xFF, 0xD8, 0xFF]

    /// Decodes a file by its content, whatever it is called. `limit`: most pixels.
    package static func decode(
        _ bytes: [UInt8], limit: Int = ExampleLimits.imagePixels
    ) throws(Fault) -> RGBImage {
        let isPNG = bytes.starts(with: pngSignature)
        guard isPNG || bytes.starts(with: jpegSignature) else {
            throw Fault("is \(kind(of: bytes)); expected a PNG or JPEG file: convert it")
        }
        var image = unsafe cimages_image()
        defer { unsafe cimages_free(&image) }
        let status = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return CIMAGES_DAMAGED }
            return isPNG
                ? unsafe cimages_png(start, buffer.count, UInt64(limit), &image)
                : unsafe cimages_jpeg(start, buffer.count, UInt64(limit), &image)
        }
        let (width, height) = unsafe (Int(image.width), Int(image.height))
        guard status == CIMAGES_DECODED, let pixels = unsafe image.pixels else {
            throw fault(status, width, height, limit, reason: unsafe text(of: image))
        }
        let count = 3 * width * height
        let decoded = RGBImage(
            width: width, height: height, pixels: unsafe Array(UnsafeBufferPointer(start: pixels, count: count)))
        return decoded.turned(isPNG ? ImageOrientation.ofPNG(bytes) : ImageOrientation.ofJPEG(bytes))
    }

    private static func fault(
        _ status: cimages_status, _ width: Int, _ height: Int, _ limit: Int, reason: String
    ) -> Fault {
        switch status {
        case CIMAGES_TOO_LARGE:
            Fault(
                "has \(width) × \(height) pixels; expected at most \(limit >> 20) Mi: scale it down, as the model "
                    + "takes far less")
        case CIMAGES_UNSUPPORTED: Fault("is of a kind that is not read (\(reason)): convert it to 8-bit RGB")
        case CIMAGES_NO_MEMORY: Fault("has \(width) × \(height) pixels, for which there is no memory: scale it down")
        default: Fault("is damaged (\(reason)): copy it again")
        }
    }

    /// A library's message, without what does not belong on one line.
    private static func text(of image: cimages_image) -> String {
        let bytes = unsafe withUnsafeBytes(of: image.reason) { unsafe Array($0.prefix { $0 != 0 }) }
        return String(decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// What a file is, by how other formats begin.
    private static func kind(of bytes: [UInt8]) -> String {
        let known: [(offset: Int, start: String, name: String)] = [
            (0, "GIF8", "a GIF image"), (8, "WEBP", "a WebP image"), (0, "BM", "a BMP image"),
            (0, "II*\0", "a TIFF image"), (0, "MM\0*", "a TIFF image"), (4, "ftypavif", "an AVIF image"),
            (4, "ftyphei", "a HEIC image"), (4, "ftypmif", "a HEIC image"), (0, "%PDF", "a PDF file"),
            (0, "<svg", "an SVG image"), (0, "<?xml", "an XML file"), (0, "PK\u{3}\u{4}", "a zip archive"),
            (0, "version https://git-lfs", "a Git LFS pointer, not the file itself"), (0, "<!DOCTYPE", "a web page"),
            (0, "<html", "a web page"),
        ]
        if bytes.isEmpty { return "empty" }
        return known.first { bytes.dropFirst($0.offset).starts(with: $0.start.utf8) }?.name ?? "no image"
    }
}
