/// What told, when a release was made, which names mean one tensor.
enum RecordedTies {
    /// The base's graph, and without one nothing, as it was before `config.json` was asked.
    case graph
    /// Nothing: no graph could be built then, be it that today one can.
    case nothing
    /// The base's graph, and without one `config.json`.
    case configuration
}
