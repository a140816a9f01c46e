/// The garments of one part of the data set, handed out once each.
struct Garments {
    private let images: IDXFile
    private let labels: IDXFile
    private var next = 0

    /// `prefix` is `train` or `t10k`.
    init(folder: String, prefix: String) throws {
        images = try IDXFile(path: "\(folder)/\(prefix)-images-idx3-ubyte")
        labels = try IDXFile(path: "\(folder)/\(prefix)-labels-idx1-ubyte")
        guard images.shape.count == 3, images.shape[1...] == [Picture.side, Picture.side],
            labels.shape == [images.shape[0]], labels.elements.allSatisfy({ $0 < 10 })
        else { throw DemoDataError("the files of \(folder) are not pictures of 28 × 28 with ten labels") }
    }

    /// The next `count` that nobody has had.
    mutating func take(_ count: Int) throws -> [Garment] {
        guard next + count <= labels.shape[0] else { throw DemoDataError("the data set has too few pictures") }
        defer { next += count }
        return (next..<next + count).map { index in
            let start = images.elements.startIndex + index * Picture.count
            let pixels = images.elements[start..<start + Picture.count].map { Float($0) / 127.5 - 1 }
            return Garment(
                picture: Picture(pixels: pixels), kind: Int(labels.elements[labels.elements.startIndex + index]))
        }
    }
}
