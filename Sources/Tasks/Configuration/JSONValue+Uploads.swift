import Files

/// JSON files of an upload, which Python's libraries wrote and read.
extension JSONValue {
    /// What a file called `name` holds. Throws a refusal of this code where Python would not read it.
    init(upload bytes: [UInt8], called name: String, code: String = "malformed") throws(AdmissionFault) {
        do throws(JSONCursor.Fault) {
            try self.init(parsing: bytes, .python)
        } catch {
            throw .refused(
                code: code,
                message: "\(shown(name)) is not JSON that Python reads: \(error.reason); copy it again")
        }
    }

    /// The members of the object that the file holds. Throws also where it holds no object.
    static func members(
        upload bytes: [UInt8], called name: String, code: String = "malformed"
    ) throws(AdmissionFault) -> [String: JSONValue] {
        let value = try JSONValue(upload: bytes, called: name, code: code)
        guard case .object(let members) = value else {
            throw .refused(
                code: code, message: "\(shown(name)) is \(value.phrase), not a JSON object; copy it again")
        }
        return members
    }
}
