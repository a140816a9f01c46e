import Safetensors
import WorkerProtocol

/// What one reading of a folder's weights found.
package struct WeightsReading {
    /// How much of the weights is read.
    package enum Extent: Sendable {
        /// Every byte, with digests and a search for NaN.
        case whole
        /// The beginning of each tensor, without digests: for what a merge reads whole a moment later.
        case sample
    }

    /// Every file of the checkpoint, its index among them.
    var files: [SourceFile]
    /// How the trunk lies to the base's; nil where it was not compared.
    var resemblance: CosineSums?
    /// The value of each tensor whose elements, two or more, are all the same.
    var constants: [String: Double]
    /// Of tensors that were compared, elements that are zero where the base's are not.
    var zeroed: [String: ZeroedElements] = [:]
    /// Of matrices that point another way than the base's their cosine.
    var turned: [String: Double] = [:]
}

extension UploadReader {
    mutating func read(
        _ checkpoint: Checkpoint, _ extent: WeightsReading.Extent, comparing parameters: ParameterCheck?,
        ties: [[String]]
    ) throws(AdmissionFault) -> WeightsReading {
        switch extent {
        case .whole: try read(checkpoint, comparing: parameters, ties: ties)
        case .sample: try sample(checkpoint, comparing: parameters, ties: ties)
        }
    }
}
