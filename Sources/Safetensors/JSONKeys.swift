/// The order of an object's keys, which a decoder's dictionary loses.
package enum JSONKeys {
    /// The keys of the object under `member` of the object in `bytes`, as they come, one that comes twice among them twice; none
    /// where there is no such object. Nil where the bytes are no JSON object, or one of more than 16 levels.
    package static func inOrder(under member: String, _ bytes: [UInt8]) -> [String]? {
        var cursor = JSONCursor(bytes)
        var keys: [String] = []
        do throws(JSONCursor.Fault) {
            try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
                guard key == member else { return try cursor.skipValue() }
                keys = []
                let first = try cursor.peek()
                guard first == UInt8(ascii: "{") else { return try cursor.skipValue() }
                try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
                    keys.append(key)
                    try cursor.skipValue()
                }
            }
        } catch {
            return nil
        }
        return keys
    }
}
