package import Files

/// What the first bytes of a file say that it is, where its name says something else.
package enum FileContent: String, Sendable {
    case gitLFSPointer = "a Git LFS pointer"
    case xetPointer = "a Xet pointer"
    case annexPointer = "a git-annex pointer"
    case page = "a web page"
    case errorMessage = "a server's error message"
    case gguf = "a GGUF file"
    case hdf5 = "an HDF5 file"
    case archive = "a zip archive, as torch.save writes"
    case pickle = "a pickle"
    case compressed = "a compressed file"

    /// Nil where the bytes begin like none of these.
    package init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.prefix(64), as: UTF8.self).lowercased().trimmingPrefix { $0.isWhitespace }
        if text.hasPrefix("version https://git-lfs.") || text.hasPrefix("version https://hawser.") {
            self = .gitLFSPointer
        } else if text.hasPrefix("# xet version") || text.hasPrefix("xet version") {
            self = .xetPointer
        } else if text.hasPrefix("/annex/objects/") {
            self = .annexPointer
        } else if Self.isError(text) {
            self = .errorMessage
        } else if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<?xml") {
            self = .page
        } else if bytes.starts(with: "GGUF".utf8) {
            self = .gguf
        } else if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            self = .hdf5
        } else if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
            self = .archive
        } else if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
            self = .pickle
        } else if bytes.starts(with: [0x1F, 0x8B]) || bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .compressed
        } else {
            return nil
        }
    }

    /// How the answers of Hugging Face, GitHub and object stores begin that download scripts save in a file's place.
    private static let errors = [
        "entry not found", "repository not found", "revision not found", "404: not found", "404 not found",
        "403 forbidden", "401 unauthorized", "invalid username or password", "invalid credentials", "access denied",
        "access to model ", "access to this ", "too many requests", "rate limit exceeded", "internal server error",
        "502 bad gateway", "503 service unavailable", "504 gateway time", "bad gateway", "gateway time-out",
        "{\"error\":", "{\"errors\":", "{\"error_code\":", "{\"detail\":", "{\"code\":4",
    ]

    private static func isError(_ text: some StringProtocol) -> Bool {
        let isObject = text.hasPrefix("{")
        let start = isObject ? String(text.filter { !$0.isWhitespace }) : String(text)
        return errors.contains { start.hasPrefix($0) }
    }

    /// What the first bytes of an open file say; nil where they say nothing, or can't be read.
    package init?(_ file: ReadableFile) {
        guard let bytes = try? file.bytes(at: 0, count: Int(min(file.size, 64))) else { return nil }
        self.init(bytes)
    }

    /// What to do about a file of this content.
    private var remedy: String {
        switch self {
        case .gitLFSPointer: "run `git lfs pull` where it was cloned, and copy the file again"
        case .xetPointer: "install git-xet, or download the file with `hf download`, and copy it again"
        case .annexPointer: "run `git annex get` where it was cloned, and copy the file again"
        case .page, .errorMessage: "a download was answered with an error or a login; download the file again"
        case .gguf, .hdf5, .archive, .pickle: "save the model with save_pretrained of transformers"
        case .compressed: "unpack it"
        }
    }

    /// Why a file of this name and content is refused.
    package func fault(in name: String) -> AdmissionFault {
        .refused(
            code: "not-what-it-claims", message: "`\(shown(name))` is \(rawValue), not the file itself; \(remedy)")
    }
}
