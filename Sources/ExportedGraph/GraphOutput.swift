/// What becomes of one of a graph's outputs: the user's, or a change of a buffer or an input, which is not kept.
struct GraphOutput: Hashable, Sendable, Decodable {
    var isForUser: Bool

    init(from decoder: any Decoder) throws {
        isForUser = try Union(decoder).kind == "user_output"
    }
}
