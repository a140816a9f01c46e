internal import Files
internal import Foundation
internal import Torch
internal import WorkerProtocol

extension DecoderStart {
    /// What the configuration files of a base say; nil where they don't.
    init?(base directory: String) throws {
        for name in Self.files where try FileStatus.ifPresent("\(directory)/\(name)", followingLinks: true) != nil {
            let file = try ReadableFile(path: "\(directory)/\(name)", followingLinks: true)
            let bytes = try file.contents(limit: BaseFiles.longestConfiguration)
            guard let found = DecoderStart(configuration: bytes) else { continue }
            self = found
            return
        }
        return nil
    }

    /// The decoder's inputs for targets whose last axis is their tokens.
    func inputs(_ targets: Tensor) throws -> Tensor {
        let shape = targets.shape
        return try Tensor(inputs(targets.to(.int64).integers(), length: max(1, shape.last ?? 1)), shape: shape)
    }
}
