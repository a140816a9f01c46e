internal import Files
internal import Glibc

/// Whether an upload has arrived.
package enum Completeness: Hashable, Sendable {
    /// As long as its own header says, or so wrong that no further bytes would mend it (admission then says how).
    case complete
    /// Something is still missing, with what it is.
    case incomplete(String)
}

extension SafetensorsFile {
    /// Whether the file at `path` (no link is followed) is as long as its own header says. Reads the header only.
    package static func completeness(path: String) -> Completeness {
        completeness { () throws(FilesError) in try ReadableFile(path: path) }
    }

    /// The same of `name` below `directory`; relative links that stay inside are followed.
    package static func completeness(name: String, beneath directory: String) -> Completeness {
        completeness { () throws(FilesError) in try ReadableFile(name: name, beneath: directory) }
    }

    private static func completeness(_ open: () throws(FilesError) -> ReadableFile) -> Completeness {
        do throws(SafetensorsError) {
            _ = try SafetensorsFile(file: SafetensorsError.wrapping(open))
            return .complete
        } catch {
            switch error {
            case .truncated, .file(.truncated), .missing, .file(.system(_, _, ENOENT)): return .incomplete("\(error)")
            case .file, .malformed, .unwritable: return .complete
            }
        }
    }
}

extension Checkpoint {
    /// Whether every safetensors file of the checkpoint in `directory` is there and whole. Without any, `incomplete`.
    package static func completeness(directory: String, root: String? = nil) -> Completeness {
        do throws(SafetensorsError) {
            _ = try Checkpoint(directory: directory, root: root)
            return .complete
        } catch {
            switch error {
            case .truncated, .file(.truncated), .missing, .file(.system(_, _, ENOENT)): return .incomplete("\(error)")
            case .file, .malformed, .unwritable: return .complete
            }
        }
    }
}
