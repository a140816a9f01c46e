/// The order of an object's keys, which a dictionary loses.
package enum JSONKeys {
    /// The keys of the object under `member` of the object in `bytes`, in the order of Python's dictionary: a key that
    /// comes twice keeps its first position. Empty where there is no such object.
    package static func inOrder(
        under member: String, _ bytes: some Sequence<UInt8>
    ) throws(JSONCursor.Fault) -> [String] {
        var cursor = JSONCursor(bytes, allowsNonFinite: true)
        var keys: [String] = []
        try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
            guard key == member else { return try cursor.skipValue() }
            keys = []
            var known: Set<String> = []
            let first = try cursor.peek()
            guard first == UInt8(ascii: "{") else { return try cursor.skipValue() }
            try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
                if known.insert(key).inserted { keys.append(key) }
                try cursor.skipValue()
            }
        }
        try cursor.expectEnd()
        return keys
    }
}
