/// A grey picture of 28 × 28 pixels between -1 (black) and 1 (white), row by row.
struct Picture {
    static let side = 28
    static let count = side * side

    var pixels: [Float]

    /// Turned by `quarters` quarter turns, clockwise.
    func turned(_ quarters: Int) -> Picture {
        (0..<quarters % 4).reduce(self) { picture, _ in
            picture.mapped { row, column in picture[Self.side - 1 - column, row] }
        }
    }

    /// White becomes black.
    func negative() -> Picture { Picture(pixels: pixels.map { -$0 }) }

    /// Moved by some pixels; what comes in from outside is black.
    func shifted(down: Int, right: Int) -> Picture {
        mapped { row, column in
            let (oldRow, oldColumn) = (row - down, column - right)
            let isInside = (0..<Self.side).contains(oldRow) && (0..<Self.side).contains(oldColumn)
            return isInside ? self[oldRow, oldColumn] : -1
        }
    }

    /// A square of `size` pixels a side, enlarged to the whole picture.
    func enlarged(row: Int, column: Int, size: Int) -> Picture {
        mapped { y, x in self[row + y * size / Self.side, column + x * size / Self.side] }
    }

    /// Every pixel moved by up to `amount`, kept between -1 and 1.
    func noisy(_ amount: Float, _ generator: inout SplitMix64) -> Picture {
        Picture(pixels: pixels.map { min(1, max(-1, $0 + .random(in: -amount...amount, using: &generator))) })
    }

    /// With a black square of `size` pixels a side.
    func blanked(row: Int, column: Int, size: Int) -> Picture {
        mapped { y, x in
            (row..<row + size).contains(y) && (column..<column + size).contains(x) ? -1 : self[y, x]
        }
    }

    private subscript(row: Int, column: Int) -> Float { pixels[row * Self.side + column] }

    private func mapped(_ pixel: (_ row: Int, _ column: Int) -> Float) -> Picture {
        Picture(pixels: (0..<Self.count).map { pixel($0 / Self.side, $0 % Self.side) })
    }
}
