internal import Foundation

/// A filter of Pillow's `Image.resize`, by its number there.
package enum ImageFilter: Int, CaseIterable, Hashable, Sendable {
    case nearest, lanczos, bilinear, bicubic, box, hamming

    /// Pixels on each side of the middle that it reaches at scale one.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// Its weight at a distance from the middle.
    func weight(_ distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .nearest, .box: return distance > -0.5 && distance <= 0.5 ? 1 : 0
        case .bilinear: return x < 1 ? 1 - x : 0
        case .hamming:
            if x == 0 { return 1 }
            if x >= 1 { return 0 }
            let angle = x * Double.pi
            return sin(angle) / angle * (0.54 + 0.46 * cos(angle))
        case .bicubic:
            // Keys' cubic convolution with a = −0.5 (IEEE Trans. ASSP 29, 1981).
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        case .lanczos:
            return distance >= -3 && distance < 3 ? Self.sinc(distance) * Self.sinc(distance / 3) : 0
        }
    }

    private static func sinc(_ value: Double) -> Double {
        if value == 0 { return 1 }
        let angle = value * Double.pi
        return sin(angle) / angle
    }
}

extension RGBImage {
    /// The image at another size, with antialiasing: Pillow 13's `Image.resize`, bit for bit. Each axis that changes
    /// is a pass of its own, rounded to 8 bits in between. Rows come first, unless columns lose more than twice as many
    /// pixels; Pillow 12 and earlier always begin with rows, which changes values by one.
    package func resized(width newWidth: Int, height newHeight: Int, _ filter: ImageFilter) -> RGBImage {
        guard (newWidth, newHeight) != (width, height) else { return self }
        if filter == .nearest { return nearest(width: newWidth, height: newHeight) }
        let beginsWithColumns = height - newHeight > 2 * max(0, width - newWidth)
        let first = beginsWithColumns ? withColumns(of: newHeight, filter) : withRows(of: newWidth, filter)
        return beginsWithColumns ? first.withRows(of: newWidth, filter) : first.withColumns(of: newHeight, filter)
    }

    private func withRows(of newWidth: Int, _ filter: ImageFilter) -> RGBImage {
        guard newWidth != width else { return self }
        let axis = ResamplingAxis(width, newWidth, filter)
        var resampled = [UInt8](repeating: 0, count: 3 * newWidth * height)
        for y in 0..<height {
            let row = 3 * y * width
            for x in 0..<newWidth {
                let (start, first) = (row + 3 * axis.starts[x], x * axis.taps)
                var (red, green, blue) = (ResamplingAxis.half, ResamplingAxis.half, ResamplingAxis.half)
                for tap in 0..<axis.counts[x] {
                    let (weight, place) = (axis.weights[first + tap], start + 3 * tap)
                    red &+= Int32(pixels[place]) &* weight
                    green &+= Int32(pixels[place + 1]) &* weight
                    blue &+= Int32(pixels[place + 2]) &* weight
                }
                let place = 3 * (y * newWidth + x)
                resampled[place] = ResamplingAxis.rounded(red)
                resampled[place + 1] = ResamplingAxis.rounded(green)
                resampled[place + 2] = ResamplingAxis.rounded(blue)
            }
        }
        return RGBImage(width: newWidth, height: height, pixels: resampled)
    }

    private func withColumns(of newHeight: Int, _ filter: ImageFilter) -> RGBImage {
        guard newHeight != height else { return self }
        let axis = ResamplingAxis(height, newHeight, filter)
        let row = 3 * width
        var resampled = [UInt8](repeating: 0, count: row * newHeight)
        var sums = [Int32](repeating: 0, count: row)
        for y in 0..<newHeight {
            for column in 0..<row { sums[column] = ResamplingAxis.half }
            for tap in 0..<axis.counts[y] {
                let (weight, start) = (axis.weights[y * axis.taps + tap], row * (axis.starts[y] + tap))
                for column in 0..<row { sums[column] &+= Int32(pixels[start + column]) &* weight }
            }
            for column in 0..<row { resampled[y * row + column] = ResamplingAxis.rounded(sums[column]) }
        }
        return RGBImage(width: width, height: newHeight, pixels: resampled)
    }

    /// The pixel in whose middle each new one lies; positions are summed up step by step, as Pillow does.
    private func nearest(width newWidth: Int, height newHeight: Int) -> RGBImage {
        func places(_ size: Int, _ newSize: Int) -> [Int] {
            let step = Double(size) / Double(newSize)
            var position = step * 0.5
            return (0..<newSize).map { _ in
                defer { position += step }
                return min(size - 1, Int(position))
            }
        }
        let columns = places(width, newWidth)
        var resampled: [UInt8] = []
        resampled.reserveCapacity(3 * newWidth * newHeight)
        for y in places(height, newHeight) {
            for x in columns {
                let place = 3 * (y * width + x)
                resampled.append(contentsOf: pixels[place..<place + 3])
            }
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: resampled)
    }
}

/// The weights of one axis in fixed point.
private struct ResamplingAxis {
    /// Bits behind the point: 32, less eight for a pixel and two for the sums of filters with negative lobes.
    private static let precision: Int32 = 22
    static let half: Int32 = 1 << (precision - 1)

    /// Of each new position: where its pixels begin, and how many there are.
    var starts: [Int] = []
    var counts: [Int] = []
    /// `taps` weights of each new position.
    var weights: [Int32] = []
    let taps: Int

    init(_ size: Int, _ newSize: Int, _ filter: ImageFilter) {
        let scale = Double(size) / Double(newSize)
        // A filter that is as wide as what becomes one pixel is what antialiasing means.
        let stretch = max(scale, 1)
        let support = filter.support * stretch
        taps = Int(support.rounded(.up)) * 2 + 1
        weights.reserveCapacity(taps * newSize)
        for index in 0..<newSize {
            let center = (Double(index) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let count = max(0, min(size, Int(center + support + 0.5)) - start)
            var own = (0..<count).map { filter.weight((Double($0 + start) - center + 0.5) * (1 / stretch)) }
            let total = own.reduce(0, +)
            if total != 0 { own = own.map { $0 / total } }
            starts.append(start)
            counts.append(count)
            weights += own.map(Self.fixed) + Array(repeating: 0, count: taps - count)
        }
    }

    private static func fixed(_ weight: Double) -> Int32 {
        Int32(weight * Double(1 << precision) + (weight < 0 ? -0.5 : 0.5))
    }

    static func rounded(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> precision) }
}
