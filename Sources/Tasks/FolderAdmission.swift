import Files
import Safetensors
package import WorkerProtocol

/// Admission of folders that somebody named on a command line, by the rules of the registry. Their files may be links
/// to anywhere.
package struct FolderAdmission: Sendable {
    package let base: AcceptedBase
    /// What of the tasks is looked at, and what is required.
    package struct Demands: Sendable {
        package var requiresGraph: Bool
        package var requiresExamples: Bool
        /// Objectives whose examples are of no use without labels.
        package var labelled: Set<TaskSettings.Objective>
        package var needsAdapters: Bool
        /// Whether the folder's own examples count.
        package var readsExamples = true

        /// Those of a merge with these settings.
        package init(_ settings: MergeSettings) {
            requiresGraph = settings.method.needsExamples
            requiresExamples = settings.method.needsExamples
            labelled = settings.labelled
            needsAdapters = settings.writesAdapter
        }

        /// Those of scoring a model on a task; `readsExamples`: on the folder's own examples.
        package init(scoring readsExamples: Bool) {
            requiresGraph = false
            requiresExamples = true
            labelled = []
            needsAdapters = false
            self.readsExamples = readsExamples
        }
    }

    private let admission: TaskAdmission

    /// Reads the base in a folder, whose tasks are in others: the graph has their head where the base leaves it to
    /// them. `reading`: how much of the weights is read; `encoder` makes tensors of tables.
    package init(
        base directory: String, tasks: [String], _ demands: Demands, reading: WeightsReading.Extent = .whole,
        encoder: ExampleEncoder? = nil
    ) throws(AdmissionFault) {
        let listing = try UploadLocation(named: directory).listing(inBase: true)
        var reader = UploadReader(listing: listing, memory: FileMemory())
        let baseAdmission = BaseAdmission(
            requiresGraph: demands.requiresGraph, reading: reading,
            head: HeadChoice.head(base: directory, tasks: tasks))
        let (base, description) = try baseAdmission.admit(&reader)
        self.base = base
        admission = TaskAdmission(
            base: try baseAdmission.open(base, listing, description), requiresExamples: demands.requiresExamples,
            labelled: demands.labelled, needsAdapters: demands.needsAdapters, reading: reading,
            readsExamples: demands.readsExamples, encoder: encoder)
    }

    /// Whether a model of this base brings all that the graph uses, so that no task has a head of its own.
    package var isWhole: Bool { base.headParameters.isEmpty }

    /// Reads the task in a folder, which is called `name`.
    package func task(_ directory: String, name: String) throws(AdmissionFault) -> AcceptedTask {
        var reader = try reader(directory)
        return try admission.admit(name, &reader)
    }

    /// The settings of a task and, where its examples are a table, the tensors of them: whatever else is in the folder.
    package func examples(
        _ directory: String
    ) throws(AdmissionFault) -> (settings: TaskSettings, encoded: EncodedExamples?) {
        var reader = try reader(directory)
        let settings = try TaskSettingsFile.read(folder: directory)
        guard let table = try ExampleEncoder.table(in: reader.listing) else { return (settings, nil) }
        let file = try reader.read(table).file
        return (settings, try admission.encode(file, &reader, settings).examples)
    }

    private func reader(_ directory: String) throws(AdmissionFault) -> UploadReader {
        let listing = try UploadLocation(named: directory).listing(inBase: false)
        return UploadReader(listing: listing, memory: FileMemory())
    }
}

extension UploadLocation {
    /// What lies in the folder.
    package func listing(inBase: Bool) throws(AdmissionFault) -> UploadListing {
        do throws(FilesError) { return try UploadListing(self, inBase: inBase) } catch { throw AdmissionFault(error) }
    }
}

extension MergeSettings {
    /// Objectives whose examples are of no use without labels.
    package var labelled: Set<TaskSettings.Objective> { Set(TaskSettings.Objective.allCases.filter(needsLabels)) }
}

extension AdmissionFault {
    /// As a worker says it, of a task or of the base.
    package func failure(of task: String?) -> WorkerEvent.Failure {
        switch self {
        case .refused(let code, let message):
            .init(kind: task == nil ? .badBase : .badTask, task: task, code: code, message: message)
        case .changed(let message): .init(kind: .inputChanged, task: task, message: message)
        case .waiting(let message), .encoding(let message), .unreadable(let message):
            .init(kind: .environment, task: task, message: message)
        case .cancelled: .init(kind: .environment, task: task, message: "cancelled; start it again")
        }
    }
}
