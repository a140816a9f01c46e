package import Safetensors
internal import Files
internal import Glibc

/// A LoRA or (IA)³ adapter as PEFT saves it, matched with the base that it is to be merged onto: for every tensor that
/// it changes how. Names and shapes decide whether it fits; only the header and the configuration are read, and of
/// tensors that the base ties what tells whether they say the same.
package final class Adapter: Sendable {
    package static let weightsName = "adapter_model.safetensors"
    /// The names of an adapter's two files.
    package static let fileNames = [weightsName, AdapterConfiguration.fileName]

    package let configuration: AdapterConfiguration
    package let file: SafetensorsFile
    /// What the adapter holds whole, by the base's names: its head, saved modules, and biases.
    package let checkpoint: Checkpoint
    /// What it does to tensors of the base, by their names.
    package let updates: [String: TensorUpdate]
    /// What the model that it was trained on calls these tensors, by the base's names.
    package let targets: [String: String]

    /// Whether `directory` holds an adapter, whole or not.
    package static func isPresent(directory: String) -> Bool {
        fileNames.contains { (try? FileStatus.ifPresent("\(directory)/\($0)", followingLinks: true)) != .some(nil) }
    }

    /// Opens the adapter in `directory` and matches it with `base`. Links may not lead out of `root`; with `/` every
    /// link is followed. `tied` gives all names of one of the graph's tensors, itself among them. What `isHead` names
    /// and the adapter holds whole is the task's own, of any shape, and no update.
    package convenience init(
        directory: String, root: String? = nil, base: Checkpoint, tied: (String) -> [String] = { [$0] },
        isHead: (String) -> Bool = { _ in false }
    ) throws(AdapterError) {
        guard !Checkpoint.isPresent(directory: directory) else {
            throw .malformed(
                "\(directory): both an adapter and full weights are there; remove one of the two")
        }
        let open = { (name: String) throws(AdapterError) in
            do throws(FilesError) {
                return try ReadableFile(name: name, directory: directory, root: root)
            } catch {
                guard error.errno == ENOENT else { throw .file(.file(error)) }
                throw .file(
                    .missing(path: "\(directory)/\(name)", reason: "the other half of the adapter is not there"))
            }
        }
        let settings = try open(AdapterConfiguration.fileName)
        let weights = try open(Self.weightsName)
        let file: SafetensorsFile
        let content: [UInt8]
        do throws(SafetensorsError) { file = try SafetensorsFile(file: weights) } catch { throw .file(error) }
        do throws(FilesError) {
            content = try settings.contents(limit: AdapterConfiguration.longest)
        } catch {
            throw .file(.file(error))
        }
        try self.init(file, AdapterConfiguration(content), base: base, tied: tied, isHead: isHead)
    }

    /// The same with files that are open already.
    package init(
        _ file: SafetensorsFile, _ configuration: AdapterConfiguration, base: Checkpoint,
        tied: (String) -> [String] = { [$0] }, isHead: (String) -> Bool = { _ in false }
    ) throws(AdapterError) {
        let matching = try AdapterMatching(file, configuration, base: base, tied: tied)
        self.file = file
        self.configuration = configuration
        checkpoint = Checkpoint(file, fileNames: Self.fileNames, stored: matching.whole).fittingVocabulary(to: base) {
            !isHead($0)
        }
        updates = try matching.updates(isHead: isHead)
        targets = matching.targets
    }
}
