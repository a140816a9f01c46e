internal import Files

/// Reads the keys of an image processor's file, and knows which were not read.
struct KeyReader {
    /// Longest side that an image can be resized or cropped to.
    private static let longestSide = 8192

    let file: String
    private var values: [String: JSONValue]
    private var read: Set<String> = ["image_processor_type", "feature_extractor_type", "default_to_square"]

    /// A key that is null stands for its class's default, as one that is not there.
    init(file: String, values: [String: JSONValue]) {
        self.file = file
        self.values = values.filter { $0.value != .null }
    }

    func invalid(_ key: String, _ expected: String) -> ExamplesError {
        .processor("the base's \(file): invalid `\(key)`: \(values[key]?.phrase ?? "null"); expected \(expected)")
    }

    private mutating func value(_ key: String) -> JSONValue? {
        read.insert(key)
        return values[key]
    }

    mutating func flag(_ key: String, _ absent: Bool) throws(ExamplesError) -> Bool {
        switch value(key) {
        case nil: return absent
        case .bool(let flag)?: return flag
        default: throw invalid(key, "true or false")
        }
    }

    mutating func number(_ key: String) throws(ExamplesError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.double, number.isFinite else { throw invalid(key, "a number") }
        return number
    }

    /// One number for each channel, or one for all.
    mutating func channels(_ key: String) throws(ExamplesError) -> [Double]? {
        guard let value = value(key) else { return nil }
        let numbers = value.double.map { [$0, $0, $0] } ?? value.elements.compactMap(\.double)
        guard numbers.count == 3, numbers.allSatisfy(\.isFinite), value.double != nil || value.elements.count == 3
        else {
            throw invalid(key, "three numbers")
        }
        return numbers
    }

    mutating func filter(_ key: String) throws(ExamplesError) -> ImageFilter? {
        guard let value = value(key) else { return nil }
        guard let filter = value.integer.flatMap(ImageFilter.init) else {
            throw invalid(key, "a number from 0 to 5, as Pillow counts its filters")
        }
        return filter
    }

    /// `isSquare`: what one number means where the file does not say it.
    mutating func size(_ key: String, isSquare: Bool) throws(ExamplesError) -> ImageProcessor.Size? {
        guard let value = value(key) else { return nil }
        let isSquare = values["default_to_square"] == nil ? isSquare : values["default_to_square"] == .bool(true)
        let sides = value.members.compactMapValues(\.integer)
        let isWhole = sides.count == value.members.count
        let size: ImageProcessor.Size? =
            switch (value, Set(value.members.keys)) {
            case (.integer(let side), _): isSquare ? .exact(height: side, width: side) : .shortest(side, longest: nil)
            case (.array(let items), _) where items.count == 2:
                items[0].integer.flatMap { height in
                    items[1].integer.map { .exact(height: height, width: $0) }
                }
            case (_, ["height", "width"]) where isWhole:
                .exact(height: sides["height"] ?? 0, width: sides["width"] ?? 0)
            case (_, ["shortest_edge"]) where isWhole: .shortest(sides["shortest_edge"] ?? 0, longest: nil)
            case (_, ["shortest_edge", "longest_edge"]) where isWhole:
                .shortest(sides["shortest_edge"] ?? 0, longest: sides["longest_edge"])
            case (_, ["max_height", "max_width"]) where isWhole:
                .within(height: sides["max_height"] ?? 0, width: sides["max_width"] ?? 0)
            default: nil
            }
        guard let size, size.sides.allSatisfy({ (1...Self.longestSide).contains($0) }) else {
            throw invalid(
                key,
                "height and width, shortest_edge (with or without longest_edge), or max_height and max_width, "
                    + "each a number from 1 to \(Self.longestSide)")
        }
        return size
    }

    mutating func crop(_ key: String) throws(ExamplesError) -> ImageProcessor.Crop? {
        guard let size = try size(key, isSquare: true) else { return nil }
        // One number is that of a square, whatever `default_to_square` says of the size.
        if let side = values[key]?.integer { return .init(height: side, width: side) }
        guard case .exact(let height, let width) = size else { throw invalid(key, "height and width") }
        return .init(height: height, width: width)
    }

    /// Throws where a key is left that would change the values of images.
    func refuseRest(besides inert: Set<String>) throws(ExamplesError) {
        let rest = values.filter { !read.contains($0.key) && !inert.contains($0.key) && !$0.value.isOff }
        guard let key = rest.keys.filter({ $0 != "data_format" || rest[$0] != "channels_first" }).min() else { return }
        throw ImageProcessor.unsupported(
            file, "the key `\(shown(key))` (\(values[key]?.phrase ?? ""))", "remove it if it makes no difference")
    }
}

extension ImageProcessor.Size {
    /// Every number of it.
    fileprivate var sides: [Int] {
        switch self {
        case .exact(let height, let width), .within(let height, let width): [height, width]
        case .shortest(let edge, let longest): [edge] + [longest].compactMap(\.self)
        }
    }
}
