import Files
import Safetensors

/// Whether files that a release passes on, or that are compared, are what their names say.
enum ContentCheck {
    /// Bytes of a file that is read whole.
    static let longest = 128 << 20

    /// Why a file is none of its name's kind, by its first bytes: Git LFS leaves a pointer where it has not fetched a
    /// file, and a download that failed leaves a page of the server's. Nil where nothing tells.
    static func disguise(of bytes: some Collection<UInt8>, _ name: String) -> AdmissionFault? {
        if let content = FileContent(Array(bytes.prefix(64))) { return content.fault(in: name) }
        if bytes.isEmpty { return claim("\(shown(name)) is empty; copy it again") }
        return nil
    }

    /// Why the content of a file that a release passes on is not of the kind that its name says; nil where it is.
    static func fault(in bytes: [UInt8], _ name: String) -> AdmissionFault? {
        if let fault = disguise(of: bytes, name) { return fault }
        switch name.splitPath.name.split(separator: ".").last.map(String.init)?.lowercased() {
        case "json": return faultOfJSON(bytes, name)
        case "txt", "jinja", "codes", "md", "tiktoken":
            guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
                return claim("\(shown(name)) is not text in UTF-8; copy it again")
            }
            return hasConflict(bytes)
                ? claim("\(shown(name)) holds both sides of a merge conflict of git; resolve it and copy it again")
                : nil
        case "spm": return isProtobuf(bytes) ? nil : claim("\(shown(name)) is no SentencePiece model; copy it again")
        case "model":
            // Some tokenizer.model are lists of words.
            let isText = String(validating: bytes, as: UTF8.self) != nil && !bytes.contains(0)
            return isText || isProtobuf(bytes)
                ? nil : claim("\(shown(name)) is cut off, or no model of a tokenizer; copy it again")
        default: return nil
        }
    }

    private static func faultOfJSON(_ bytes: [UInt8], _ name: String) -> AdmissionFault? {
        var cursor = JSONCursor(bytes, allowsNonFinite: true)
        var keys: Set<String> = []
        var isObject = false
        do throws(JSONCursor.Fault) {
            if try cursor.peek() == UInt8(ascii: "{") {
                isObject = true
                try cursor.object { (cursor, key) throws(JSONCursor.Fault) in
                    keys.insert(key)
                    try cursor.skipValue()
                }
            } else {
                try cursor.skipValue()
            }
            try cursor.expectEnd()
        } catch {
            return claim("\(shown(name)) is not JSON that Python reads: \(error.reason); copy it again")
        }
        let file = name.splitPath.name
        let isFast = file.hasPrefix("tokenizer.")
        if isFast, !keys.contains("model") {
            return claim("\(shown(name)) has no `model`, so that it is no tokenizer; copy it again")
        }
        // These two may be lists.
        guard !isObject, file != "modules.json", file != "entity_vocab.json" else { return nil }
        return claim("\(shown(name)) is not a JSON object; copy it again")
    }

    /// Whether git left its marks of a conflict, each on a line of its own.
    private static func hasConflict(_ bytes: [UInt8]) -> Bool {
        var marks: [[UInt8]] = ["<<<<<<< ", "=======", ">>>>>>> "].map { Array($0.utf8) }
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            guard let mark = marks.first else { return true }
            if mark.count == 7 ? line.elementsEqual(mark) : line.starts(with: mark) { marks.removeFirst() }
        }
        return marks.isEmpty
    }

    private static func claim(_ message: String) -> AdmissionFault {
        .refused(code: "not-what-it-claims", message: message)
    }

    /// Whether the bytes are fields of a protocol buffer from the first to the last, as a SentencePiece model is.
    private static func isProtobuf(_ bytes: [UInt8]) -> Bool {
        var position = 0
        func number() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: 0, to: 64, by: 7) {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << UInt64(shift)
                if byte & 0x80 == 0 { return value }
            }
            return nil
        }
        while position < bytes.count {
            guard let tag = number(), tag >> 3 > 0 else { return false }
            let length: UInt64?
            switch tag & 7 {
            case 0: length = number().map { _ in 0 }
            case 1: length = 8
            case 2: length = number()
            case 5: length = 4
            default: return false
            }
            guard let length, length <= UInt64(bytes.count - position) else { return false }
            position += Int(length)
        }
        return true
    }
}
