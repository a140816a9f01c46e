/// What is known of one of a graph's inputs beside its type. Only graphs that are built here say anything; an archive does not.
package struct InputRule: Hashable, Sendable {
    /// The input whose shape zeros take where this one is not given; nil: it must be given.
    package var zerosLike: String?

    package init(zerosLike: String? = nil) {
        self.zerosLike = zerosLike
    }
}
