internal import ExportedModel
internal import Torch
internal import WorkerProtocol

extension WorkerEvent.Failure {
    /// Runs `body` over one task's checkpoint or examples: what the model says about them is that task's fault.
    static func blaming<Value>(_ task: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let fault as LabelFault {
            throw MergeError.task(task, "validation.safetensors: \(fault)")
        } catch let error as TorchError {
            throw error.isLackOfMemory ? error.asLackOfMemory : MergeError.task(task, error.description)
        } catch let error as ExportedModelError {
            switch error {
            case .missingParameter, .missingInput, .shape, .dtype: throw MergeError.task(task, error.description)
            case .missingBuffer, .malformed, .unsupported: throw MergeError.base(error.description)
            }
        }
    }
}

extension TorchError {
    fileprivate var isLackOfMemory: Bool { message.contains("DefaultCPUAllocator") }

    fileprivate var asLackOfMemory: MergeError {
        MergeError(kind: .environment, message: "\(message); free memory or lower batch")
    }
}
