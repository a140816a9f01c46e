import Files

/// The files that download tools keep beside what they have not finished. The file itself may have its whole length
/// from the start.
package enum UnfinishedDownload {
    /// Endings of names that no finished file has: aria2, Hugging Face, Chrome, rclone and wget, Azure, gsutil, lftp,
    /// qBittorrent.
    private static let endings = [
        ".aria2", ".incomplete", ".crdownload", ".partial", "_.gstmp", ".lftp-pget-status", ".!qb", ".opdownload",
    ]
    /// Endings that count where the file that they belong to stands beside: curl and Firefox, axel, wget2.
    private static let endingsBeside = [".part", ".st", ".download"]
    /// Where `hf download --local-dir` keeps what belongs to each file.
    private static let hubFolder = ".cache/huggingface/download"
    private static let mostEntries = 4096

    /// The first control file in a folder with these names, relative to it; nil where there is none.
    static func find(in folder: String, _ names: [String]) -> String? {
        let present = Set(names)
        for name in names {
            let lower = name.lowercased()
            if endings.contains(where: lower.ends(in:)) || lower.utf8.starts(with: ".azdownload-".utf8) { return name }
            let isBeside = endingsBeside.contains { ending in
                lower.ends(in: ending) && present.contains(String(name.dropLast(ending.count)))
            }
            if isBeside { return name }
        }
        return present.contains(".cache") ? hubDownload("\(folder)/\(hubFolder)") : nil
    }

    /// A lock stays when a download has ended, but then there is metadata beside it.
    private static func hubDownload(_ folder: String) -> String? {
        guard let names = try? Durable.list(folder), names.count <= mostEntries else { return nil }
        let present = Set(names)
        let open = names.sorted().first { name in
            guard name.ends(in: ".lock") else { return name.ends(in: ".incomplete") }
            return !present.contains(String(name.dropLast(".lock".count)) + ".metadata")
        }
        return open.map { "\(hubFolder)/\($0)" }
    }

    /// Why a folder with this control file is not read yet.
    package static func fault(_ name: String) -> AdmissionFault {
        .refused(
            code: "download-unfinished",
            message:
                "`\(shown(name))` says that a download has not ended; let it end, or remove what it left and copy the "
                + "files again"
        )
    }
}
