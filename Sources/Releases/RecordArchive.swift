internal import Files
package import Foundation
internal import Signing

/// What describes releases that were deleted, a folder for each number: record, provenance, bill of materials, report,
/// model card and signature. A few kilobytes, where the weights had gigabytes.
package struct RecordArchive: Sendable {
    private static let names = [
        ReleaseContents.recordName, Provenance.fileName, BillOfMaterials.fileName, ReleaseContents.reportName,
        ReleaseContents.cardName, ModelSignature.fileName,
    ]
    private static let stagingPrefix = ".incoming-"

    let directory: String

    /// `directory` is made when the first release is put there.
    package init(directory: String) { self.directory = directory }

    /// Copies what describes a release, before it is deleted. A no-op where it is here already, or the release gone.
    package func keep(_ version: Int, of store: ReleaseStore) throws {
        let (release, place) = (store.directory(of: version), "\(directory)/\(version)")
        guard try FileStatus.ifPresent(release) != nil, try FileStatus.ifPresent(place) == nil else { return }
        let staging = "\(directory)/\(Self.stagingPrefix)\(version)"
        try Durable.remove(staging)
        try Durable.createDirectories(staging)
        for name in Self.names where try FileStatus.ifPresent("\(release)/\(name)") != nil {
            try Durable.replace("\(staging)/\(name)", with: Durable.contents("\(release)/\(name)"))
        }
        try Durable.syncDirectory(staging)
        try Durable.rename(staging, to: place)
        try Durable.syncDirectory(directory)
    }

    /// Numbers, each with when it was put here.
    package func kept() throws -> [Int: Date] {
        guard try FileStatus.ifPresent(directory) != nil else { return [:] }
        let versions = try Durable.list(directory).compactMap { ReleaseStore.number($0) }
        let pairs = try versions.map { version in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory)/\(version)")
            return (version, attributes[.modificationDate] as? Date ?? .distantFuture)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    package func remove(_ version: Int) throws {
        try Durable.remove("\(directory)/\(version)")
        try Durable.syncDirectory(directory)
    }
}
