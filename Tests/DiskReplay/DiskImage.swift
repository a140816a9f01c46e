import Foundation

/// The content of a disk, in memory: the pages that are not all zeros.
package struct DiskImage: Equatable {
    private static let page = 4096
    private static let zeros = [UInt8](repeating: 0, count: page)
    private var pages: [Int: [UInt8]] = [:]

    /// A disk of zeros.
    package init() {}

    package mutating func write(_ data: Data, at offset: Int) {
        data.withUnsafeBytes { bytes in
            change(offset..<offset + bytes.count) { page, done in
                memcpy(page.baseAddress!, bytes.baseAddress! + done, page.count)
            }
        }
    }

    package mutating func clear(_ range: Range<Int>) {
        change(range) { page, _ in memset(page.baseAddress!, 0, page.count) }
    }

    /// What is at a range.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        range.map { pages[$0 / Self.page]?[$0 % Self.page] ?? 0 }
    }

    /// Makes the file `path` a disk of `size` bytes with this content.
    package func store(at path: String, size: Int) throws {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.truncate(atOffset: 0)
        try file.truncate(atOffset: UInt64(size))
        for (number, page) in pages.sorted(by: { $0.key < $1.key }) {
            try file.seek(toOffset: UInt64(number * Self.page))
            try file.write(contentsOf: page)
        }
        try file.close()
    }

    /// Calls `body` with the part of each page that lies in the range, and with how much of the range lies before it.
    private mutating func change(_ range: Range<Int>, _ body: (UnsafeMutableRawBufferPointer, Int) -> Void) {
        var done = range.lowerBound
        while done < range.upperBound {
            let number = done / Self.page
            let end = min(range.upperBound, (number + 1) * Self.page)
            var page = pages.removeValue(forKey: number) ?? Self.zeros
            let isEmpty = page.withUnsafeMutableBytes { bytes in
                let part = done - number * Self.page..<end - number * Self.page
                body(UnsafeMutableRawBufferPointer(rebasing: bytes[part]), done - range.lowerBound)
                return memcmp(bytes.baseAddress!, Self.zeros, Self.page) == 0
            }
            if !isEmpty { pages[number] = page }
            done = end
        }
    }
}
