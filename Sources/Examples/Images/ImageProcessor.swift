internal import WorkerProtocol

/// What a base's files say about how images become its input: the part of transformers' image processors that the
/// graphs of images need (resize, crop, rescale, normalize), as the Pillow backend carries it out.
package struct ImageProcessor: Hashable, Sendable {
    /// How large an image becomes.
    package enum Size: Hashable, Sendable {
        case exact(height: Int, width: Int)
        /// The shorter edge; the longer one keeps the ratio, up to a limit.
        case shortest(Int, longest: Int?)
        /// As large as fits into this.
        case within(height: Int, width: Int)
    }

    package struct Crop: Hashable, Sendable {
        package var height: Int
        package var width: Int
    }

    /// Nil: images keep their size.
    var size: Size?
    var filter: ImageFilter
    /// The share of the shorter edge that ConvNext crops to; below 384 alone.
    var cropShare: Double?
    var crop: Crop?
    /// Nil: values stay between 0 and 255.
    var scale: Double?
    /// Nil: values are not normalised.
    var normalization: Normalization?

    struct Normalization: Hashable, Sendable {
        /// One for each channel.
        var mean: [Double]
        var deviation: [Double]
    }

    /// The size from which on ConvNext crops nothing.
    private static let convNextWhole = 384

    /// Resizes and crops. Throws where a side of the resized image would be empty or too long.
    package func prepared(_ image: RGBImage) throws(ImageFile.Fault) -> RGBImage {
        var result = image
        switch (size, cropShare) {
        case (nil, _): break
        case (.shortest(let edge, _)?, let share?):
            if edge < Self.convNextWhole {
                result = try resized(image, .shortest(Int(Double(edge) / share), longest: nil))
                    .centerCropped(width: edge, height: edge)
            } else {
                result = try resized(image, .exact(height: edge, width: edge))
            }
        case (let size?, _): result = try resized(image, size)
        }
        return crop.map { result.centerCropped(width: $0.width, height: $0.height) } ?? result
    }

    private func resized(_ image: RGBImage, _ size: Size) throws(ImageFile.Fault) -> RGBImage {
        let (height, width) = Self.size(size, of: image)
        guard height > 0, width > 0, height * width <= ExampleLimits.imagePixels else {
            throw ImageFile.Fault(
                "would be resized from \(image.width) × \(image.height) to \(width) × \(height) pixels: crop it")
        }
        return image.resized(width: width, height: height, filter)
    }

    /// What the graph takes: [3, height, width], channel by channel.
    package struct Planes: Hashable, Sendable {
        package var height: Int
        package var width: Int
        package var values: [Float]
    }

    /// Rescales and normalises a prepared image.
    package func planes(of image: RGBImage) -> Planes {
        let count = image.width * image.height
        var planes = [Float](repeating: 0, count: 3 * count)
        for (channel, own) in values.enumerated() {
            for place in 0..<count { planes[channel * count + place] = own[Int(image.pixels[3 * place + channel])] }
        }
        return Planes(height: image.height, width: image.width, values: planes)
    }

    /// The value of every 8-bit value in each channel: rescaled in 64 bits, normalised in 32, as NumPy does there.
    private var values: [[Float]] {
        (0..<3).map { channel in
            (0..<256).map { value in
                let scaled = scale.map { Float(Double(value) * $0) } ?? Float(value)
                guard let normalization else { return scaled }
                return (scaled - Float(normalization.mean[channel])) / Float(normalization.deviation[channel])
            }
        }
    }

    /// Height and width that an image is resized to, with the roundings of transformers' `image_transforms`.
    static func size(_ size: Size, of image: RGBImage) -> (height: Int, width: Int) {
        let (height, width) = (image.height, image.width)
        let (short, long) = (min(height, width), max(height, width))
        switch size {
        case .exact(let height, let width): return (height, width)
        case .shortest(let edge, nil):
            let other = Int(Double(edge * long) / Double(short))
            return width <= height ? (other, edge) : (edge, other)
        case .shortest(let wanted, let longest?):
            var (edge, exact) = (Double(wanted), Double(wanted))
            if Double(long) / Double(short) * Double(wanted) > Double(longest) {
                exact = Double(longest) * Double(short) / Double(long)
                edge = exact.rounded(.toNearestOrEven)
            }
            if Double(short) == edge { return (height, width) }
            let other = Int(exact * Double(long) / Double(short))
            return width < height ? (other, Int(edge)) : (Int(edge), other)
        case .within(let most, let widest):
            let ratio = min(Double(most) / Double(height), Double(widest) / Double(width))
            return (Int(Double(height) * ratio), Int(Double(width) * ratio))
        }
    }
}
