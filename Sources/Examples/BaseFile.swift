internal import Files

/// A JSON file of the base among the contents that a run was given.
enum BaseFile {
    /// Its members, as Python's json reads them; none where it is not there. `fault`: what a file that is no JSON is.
    static func members(
        _ name: String, _ contents: [String: [UInt8]], _ fault: (String) -> ExamplesError
    ) throws(ExamplesError) -> [String: JSONValue] {
        guard let bytes = contents[name] else { return [:] }
        do {
            return try JSONValue.members(parsing: bytes, .python)
        } catch {
            throw fault("the base's \(name): \(error.reason)")
        }
    }
}
