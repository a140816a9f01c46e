import Foundation

/// An array of bytes in the format of the MNIST family: four bytes of type and rank, the axes in big endian, the
/// elements.
struct IDXFile {
    let shape: [Int]
    let elements: ArraySlice<UInt8>

    /// Reads an unpacked file; its length must be what its axes say.
    init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DemoDataError("\(path) can't be read; unpack the files of dataset-fashion-mnist there")
        }
        let bytes = [UInt8](data)
        guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, bytes[2] == 8, (1...3).contains(bytes[3]),
            bytes.count >= 4 + 4 * Int(bytes[3])
        else { throw DemoDataError("\(path) is not an unpacked idx file of bytes") }
        let start = 4 + 4 * Int(bytes[3])
        shape = stride(from: 4, to: start, by: 4).map { place in
            bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        elements = bytes[start...]
        let count = shape.reduce(into: (value: 1, isTooLarge: false)) { product, axis in
            let next = product.value.multipliedReportingOverflow(by: axis)
            product = (next.partialValue, product.isTooLarge || next.overflow)
        }
        guard !count.isTooLarge, elements.count == count.value else {
            throw DemoDataError("\(path) is shorter or longer than its axes \(shape) say; unpack it again")
        }
    }
}
