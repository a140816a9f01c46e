import Files
import WorkerProtocol

/// The folders that a base's `modules.json` names, whose files a release must have for sentence-transformers to load
/// it.
struct ModuleFolders {
    /// Why a release would lack a part of a module; nil where it has all of them.
    let fault: AdmissionFault?

    init(_ reader: UploadReader) throws(AdmissionFault) {
        guard let bytes = try reader.contentsIfPresent("modules.json") else {
            fault = nil
            return
        }
        let value = try JSONValue(upload: bytes, called: "modules.json")
        let folders = Set(value.elements.compactMap { $0.members["path"]?.text }.filter { !$0.isEmpty }).sorted()
        let listing = reader.listing
        for folder in folders where listing.folders.contains(folder) || folder.contains("/") {
            guard BaseFiles.isFolder(folder) else {
                fault = Self.refusal(
                    "`\(shown(folder))`, and releases have modules in folders such as `1_Pooling` alone")
                return
            }
            let left = listing.files.keys.sorted().first { name in
                name.hasPrefix(folder + "/") && !BaseFiles.isPassedOn(name) && !LeftOut.isDocumentation(name)
            }
            if let left {
                fault = Self.refusal("`\(shown(folder))`, and a release would lack `\(shown(left))` of it")
                return
            }
        }
        fault = nil
    }

    private static func refusal(_ what: String) -> AdmissionFault {
        .refused(
            code: "unsupported-module",
            message:
                "modules.json names \(what), so that sentence-transformers could not load it; remove the module, or "
                + "save it in the form of today's sentence-transformers")
    }
}
