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

    private let demands: Demands
    private let reading: WeightsReading.Extent
    private let location: UploadLocation
    private let listing: UploadListing
    private let description: BaseDescription

    /// Reads the base in a folder. `reading`: how much of the weights is read.
    package init(
        base directory: String, _ demands: Demands, reading: WeightsReading.Extent = .whole
    ) throws(AdmissionFault) {
        self.demands = demands
        self.reading = reading
        location = try UploadLocation(named: directory)
        listing = try location.listing(inBase: true)
        var reader = UploadReader(listing: listing, memory: FileMemory())
        let admission = BaseAdmission(requiresGraph: demands.requiresGraph, reading: reading)
        (base, description) = try admission.admit(&reader)
    }

    /// Whether a model of this base brings all that the graph uses, so that no task has a head of its own.
    package var isWhole: Bool { base.headParameters.isEmpty }

    /// Reads the task in a folder, which is called `name`.
    package func task(_ directory: String, name: String) throws(AdmissionFault) -> AcceptedTask {
        let listing = try UploadLocation(named: directory).listing(inBase: false)
        var reader = UploadReader(listing: listing, memory: FileMemory())
        let model = try BaseAdmission(requiresGraph: false).open(base, self.listing, description)
        let admission = TaskAdmission(
            base: model, requiresExamples: demands.requiresExamples, labelled: demands.labelled,
            needsAdapters: demands.needsAdapters, reading: reading, readsExamples: demands.readsExamples)
        return try admission.admit(name, &reader)
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
        case .waiting(let message), .unreadable(let message): .init(kind: .environment, task: task, message: message)
        case .cancelled: .init(kind: .environment, task: task, message: "cancelled; start it again")
        }
    }
}
