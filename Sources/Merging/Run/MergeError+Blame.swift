internal import ExportedModel
import Files
internal import Safetensors
internal import Tasks
internal import Torch
internal import WorkerProtocol

extension WorkerEvent.Failure {
    /// Runs `body` over one task's checkpoint or examples, which lie in `file`: what the model says about them is that
    /// task's fault.
    static func blaming<Value>(
        _ task: String, examples file: SafetensorsFile? = nil, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let fault as LabelFault {
            let name = file?.file.path.pathNames.last ?? "validation.safetensors"
            throw fault.refusal(in: name).failure(of: task)
        } catch let error as TorchError {
            throw error.kind == .outOfMemory ? error.asLackOfMemory : MergeError.task(task, error.description)
        } catch let error as ExportedModelError {
            switch error {
            case .missingParameter, .missingInput, .shape, .dtype: throw MergeError.task(task, error.description)
            case .missingBuffer, .malformed, .unsupported, .forbidden: throw MergeError.base(error.description)
            }
        }
    }
}

extension TorchError {
    fileprivate var asLackOfMemory: MergeError {
        MergeError(kind: .environment, message: "\(message); free memory or lower batch")
    }
}
