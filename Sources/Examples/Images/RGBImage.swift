/// An image of 8-bit RGB.
package struct RGBImage: Hashable, Sendable {
    package var width: Int
    package var height: Int
    /// Rows from top to bottom, `3 · width · height` values.
    package var pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == 3 * width * height)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The part from (`left`, `top`) on; what lies outside the image is black.
    func cropped(left: Int, top: Int, width: Int, height: Int) -> RGBImage {
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        let columns = max(0, left)..<max(max(0, left), min(self.width, left + width))
        for y in max(0, top)..<max(max(0, top), min(self.height, top + height)) where !columns.isEmpty {
            let source = 3 * (y * self.width + columns.lowerBound)
            let target = 3 * ((y - top) * width + columns.lowerBound - left)
            pixels.replaceSubrange(
                target..<target + 3 * columns.count, with: self.pixels[source..<source + 3 * columns.count])
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// The crop of this size around the middle, as `center_crop` of transformers rounds it; an image that is smaller
    /// gets a black border.
    package func centerCropped(width: Int, height: Int) -> RGBImage {
        // Rounded down, also below zero.
        return cropped(
            left: (self.width - width) >> 1, top: (self.height - height) >> 1, width: width, height: height)
    }
}
