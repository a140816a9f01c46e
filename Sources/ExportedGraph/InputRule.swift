/// What is known of one of a graph's inputs beside its type. Only graphs that are built here say anything; an archive
/// does not.
package struct InputRule: Hashable, Sendable {
    /// The input whose shape zeros take where this one is not given; nil: it must be given.
    package var zerosLike: String?
    /// Whether what is 0 may only stand behind the rest of a row: a mask of padding, where positions count from the
    /// first token or the prediction is made of it.
    package var isPaddedAtEnd: Bool

    package init(zerosLike: String? = nil, isPaddedAtEnd: Bool = false) {
        self.zerosLike = zerosLike
        self.isPaddedAtEnd = isPaddedAtEnd
    }
}
