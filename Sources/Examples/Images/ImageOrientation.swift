/// How an image is turned so that it stands upright: the orientation of EXIF 2.32, 4.6.4, tag 0x0112, and of XMP's
/// `tiff:Orientation` where EXIF has none, as Pillow finds it.
enum ImageOrientation: Int, Hashable, Sendable {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, turnedLeft, transversed, turnedRight

    private static let tag = 0x0112
    private static let exifStart: [UInt8] = Array("Exif\0\0".utf8)
    private static let xmpStart: [UInt8] = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

    /// That of a JPEG file: by its APP1 segments, which come before the first scan.
    static func ofJPEG(_ bytes: [UInt8]) -> ImageOrientation {
        var (exif, xmp): (ArraySlice<UInt8>?, ArraySlice<UInt8>?)
        var position = 2
        while position + 4 <= bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            if marker == 0xFF {
                position += 1
                continue
            }
            // The start of a scan, or the image's end.
            guard marker != 0xDA, marker != 0xD9 else { break }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            guard length >= 2, position + 2 + length <= bytes.count else { break }
            let content = bytes[position + 4..<position + 2 + length]
            if marker == 0xE1, exif == nil, content.starts(with: exifStart) {
                exif = content.dropFirst(exifStart.count)
            } else if marker == 0xE1, content.starts(with: xmpStart) {
                xmp = content.dropFirst(xmpStart.count)
            }
            position += 2 + length
        }
        return exif.flatMap(ofEXIF) ?? xmp.flatMap(ofXMP) ?? .upright
    }

    /// That of a PNG file: by its eXIf chunk.
    static func ofPNG(_ bytes: [UInt8]) -> ImageOrientation {
        var position = 8
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - position - 12 else { break }
            let content = bytes[position + 8..<position + 8 + length]
            if bytes[position + 4..<position + 8].elementsEqual("eXIf".utf8) { return ofEXIF(content) ?? .upright }
            position += 12 + length
        }
        return .upright
    }

    /// A TIFF header and its first directory, in either order of bytes.
    private static func ofEXIF(_ bytes: ArraySlice<UInt8>) -> ImageOrientation? {
        let bytes = Array(bytes)
        let isLittle = bytes.starts(with: "II".utf8)
        guard isLittle || bytes.starts(with: "MM".utf8) else { return nil }
        func number(at offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            let part = bytes[offset..<offset + count]
            return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let start = number(at: 4, 4), let count = number(at: start, 2) else { return nil }
        for index in 0..<count {
            let entry = start + 2 + 12 * index
            guard let tag = number(at: entry, 2), let type = number(at: entry + 2, 2) else { return nil }
            // 3: SHORT, which the standard says; 4: LONG.
            guard tag == Self.tag, type == 3 || type == 4 else { continue }
            return number(at: entry + 8, type == 3 ? 2 : 4).flatMap(ImageOrientation.init)
        }
        return nil
    }

    private static func ofXMP(_ bytes: ArraySlice<UInt8>) -> ImageOrientation? {
        let bytes = Array(bytes)
        let name = Array("tiff:Orientation".utf8)
        var position = 0
        while let found = bytes[position...].firstIndex(of: name[0]) {
            position = found + 1
            guard bytes[found...].starts(with: name) else { continue }
            let rest = bytes[(found + name.count)...]
            for separator in ["=\"", ">"] where rest.starts(with: separator.utf8) {
                guard let digit = rest.dropFirst(separator.utf8.count).first, (0x30...0x39).contains(digit) else {
                    break
                }
                return ImageOrientation(rawValue: Int(digit) - 0x30)
            }
        }
        return nil
    }
}

extension RGBImage {
    /// The image upright, as `PIL.ImageOps.exif_transpose` turns it.
    func turned(_ orientation: ImageOrientation) -> RGBImage {
        guard orientation != .upright else { return self }
        let isTurned = orientation.rawValue >= ImageOrientation.transposed.rawValue
        let (newWidth, newHeight) = isTurned ? (height, width) : (width, height)
        var turned = [UInt8](repeating: 0, count: pixels.count)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let (fromX, fromY) =
                    switch orientation {
                    case .upright: (x, y)
                    case .mirrored: (width - 1 - x, y)
                    case .upsideDown: (width - 1 - x, height - 1 - y)
                    case .flipped: (x, height - 1 - y)
                    case .transposed: (y, x)
                    case .turnedLeft: (y, height - 1 - x)
                    case .transversed: (width - 1 - y, height - 1 - x)
                    case .turnedRight: (width - 1 - y, x)
                    }
                let (from, to) = (3 * (fromY * width + fromX), 3 * (y * newWidth + x))
                for channel in 0..<3 { turned[to + channel] = pixels[from + channel] }
            }
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: turned)
    }
}
