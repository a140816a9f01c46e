import Files

/// The files that download tools keep beside what they have not finished. The file itself may have its whole length
/// from the start.
package enum UnfinishedDownload {
    /// Endings of names that no finished file has: aria2, Hugging Face, Chrome, rclone and wget, Ollama, Azure, gsutil,
    /// lftp, qBittorrent, uTorrent, BitComet, Opera, WinSCP, Cyberduck, Xunlei, Baidu, Free Download Manager, MinIO.
    private static let endings = [
        ".aria2", ".aria2__temp", ".incomplete", ".crdownload", ".partial", "_.gstmp", ".gstmp",
        ".lftp-pget-status", ".!qb", ".!ut", ".bc!", ".opdownload", ".filepart", ".cyberducksegment", ".xltd",
        ".td.cfg",
        ".downloading", ".fdmdownload", ".part.minio", ".partfile",
    ]
    /// Endings that count where the file that they belong to stands beside: curl and Firefox, axel, wget2, Xunlei,
    /// yt-dlp.
    private static let endingsBeside = [".part", ".st", ".download", ".td", ".ytdl", ".resume", ".dl", ".progress"]
    /// Folders in which tools keep files until they are whole: ModelScope, rsync (`--partial-dir`, `--delay-updates`),
    /// Git LFS. Empty ones are left behind.
    private static let foldersOfTools = ["._____temp", ".rsync-partial", ".~tmp~", ".git/lfs/incomplete"]
    /// Where `hf download --local-dir` keeps what belongs to each file.
    private static let hubFolder = ".cache/huggingface/download"
    private static let mostEntries = 4096

    /// The first control file in a folder with these names, or in these subfolders of it, relative to it; nil where
    /// there is none.
    package static func find(in folder: String, _ names: [String], _ subfolders: [String] = []) -> String? {
        if let name = find(in: folder, among: names) { return name }
        for subfolder in subfolders {
            let path = "\(folder)/\(subfolder)"
            if let nested = try? Durable.list(path), let name = find(in: path, among: nested) {
                return "\(subfolder)/\(name)"
            }
        }
        return nil
    }

    private static func find(in folder: String, among names: [String]) -> String? {
        let present = Set(names)
        for name in names {
            let lower = name.lowercased()
            if endings.contains(where: lower.ends(in:)) || lower.utf8.starts(with: ".azdownload-".utf8) { return name }
            if lower.hasPrefix("sha256-"), lower.ends(in: "-partial") { return name }
            let isBeside = endingsBeside.contains { ending in
                lower.ends(in: ending) && present.contains(String(name.dropLast(ending.count)))
            }
            if isBeside { return name }
        }
        if present.contains(".cache"), let name = hubDownload("\(folder)/\(hubFolder)") { return name }
        if present.contains(".git"), exists("\(folder)/.git/index.lock") { return ".git/index.lock" }
        for tool in foldersOfTools where present.contains(tool.pathNames[0]) {
            if let first = (try? Durable.list("\(folder)/\(tool)"))?.min() { return "\(tool)/\(first)" }
        }
        return nil
    }

    private static func exists(_ path: String) -> Bool { ((try? FileStatus.ifPresent(path)) ?? nil) != nil }

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
