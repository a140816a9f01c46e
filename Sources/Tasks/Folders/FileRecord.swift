/// What one reading of a file found, remembered by the file's identity.
package struct FileRecord: Codable, Hashable, Sendable {
    /// SHA-256 of the content.
    var sha256: String
    /// The first tensor with a NaN or an infinity; nil where there is none or the file holds no tensors.
    var notFinite: String?
    /// How its tensors lie to those of a base.
    var resemblance: CosineSums?
    /// What tells the content of its tensors that have another name in the model, too, by the names that they have.
    var tied: [String: String]?
    /// The value of each tensor whose elements, two or more, are all the same.
    var constants: [String: Double]?
    /// Of tensors that were compared, how many elements are zero where the base's are not; nil where they are few.
    var zeroed: [String: ZeroedElements]?
    /// Of matrices that point another way than the base's their cosine; nil where there are none.
    var turned: [String: Double]?
}

/// Elements of a tensor that are zero where the base's are not, as shares of all that were compared.
struct ZeroedElements: Codable, Hashable, Sendable {
    /// The share in one piece from which on a checkpoint is taken for torn.
    static let longestAllowed = 0.25
    /// The share from which on it is said.
    static let shareToName = 0.1
    /// Elements of a tensor that has too few for either.
    static let fewest = 64

    var share: Double
    /// The longest run of zeros.
    var longest: Double
}

/// Sums over the trunk's elements, from which the cosine between a checkpoint and a base follows.
struct CosineSums: Codable, Hashable, Sendable {
    /// `ParameterCheck.comparison`.
    var base: String
    /// ⟨θf, θp⟩, ⟨θf, θf⟩ and ⟨θp, θp⟩.
    var product = 0.0
    var own = 0.0
    var theirs = 0.0
    /// Whether every element that was compared is the base's.
    var isEqual = true

    /// The cosine below which a single matrix is named, and the elements that it has at least.
    static let leastOfMatrix = 0.2
    static let fewestElements = 256

    init(base: String) { self.base = base }

    /// The cosine of what was added since; nil where one side is zero everywhere.
    func cosine(since before: CosineSums) -> Double? {
        var part = self
        part.product -= before.product
        part.own -= before.own
        part.theirs -= before.theirs
        return part.cosine
    }

    mutating func add(_ other: CosineSums) {
        product += other.product
        own += other.own
        theirs += other.theirs
        isEqual = isEqual && other.isEqual
    }

    /// The cosine; nil where one side is zero everywhere.
    var cosine: Double? {
        own > 0 && theirs > 0 ? product / (own.squareRoot() * theirs.squareRoot()) : nil
    }
}
