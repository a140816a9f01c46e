import Files
import Foundation
package import WorkerProtocol

/// How the commands `merge` and `evaluate` ask; faults are thrown as a worker says them, of a task or of the base.
extension FolderAdmission {
    /// The base folder and the task folders with the digests of everything that is merged; several tasks are read at
    /// once. A sample of the weights leaves their digests to the merge, which reads them anyway.
    package static func sources(
        base: String, tasks: [(name: String, directory: String)], settings: MergeSettings,
        reading: WeightsReading.Extent, encoder: ExampleEncoder? = nil
    ) throws -> (base: BaseSource, tasks: [TaskSource]) {
        let admission: FolderAdmission
        do throws(AdmissionFault) {
            admission = try FolderAdmission(
                base: base, tasks: tasks.map(\.directory), Demands(settings), reading: reading, encoder: encoder)
        } catch {
            throw error.failure(of: nil)
        }
        let opened = try Concurrently.map(tasks) { task in
            do throws(AdmissionFault) {
                return try admission.task(task.directory, name: task.name)
            } catch {
                throw error.failure(of: task.name)
            }
        }
        let strangers = LabelNames.strangers(among: opened.map { ($0.source.name, $0.sharedLabels) })
        if let (name, fault) = strangers.first { throw fault.failure(of: name) }
        return (admission.base.source, opened.map(\.source))
    }

    /// The settings of a task that a model is scored on, and the tensors of its examples where these are a table, after
    /// all that admission says of it and of its base, where that is known. `readsExamples`: whether it is scored on the
    /// folder's own examples.
    package static func settings(
        of task: String, name: String, scoring model: String, base: String?, readsExamples: Bool,
        encoder: ExampleEncoder? = nil
    ) throws -> (settings: TaskSettings, encoded: EncodedExamples?) {
        // What is not there is said when it is looked for.
        guard let folder = try? UploadLocation(named: task), let names = try? folder.listing(inBase: false).files.keys
        else { return (TaskSettings(), nil) }
        let isRelease = exists("\(model)/release.json")
        let place = baseFolder(of: task, scoring: model, base: base, isRelease: isRelease)
        var admission: FolderAdmission?
        do throws(AdmissionFault) {
            if let place {
                admission = try FolderAdmission(
                    base: place, tasks: [task], Demands(scoring: readsExamples), reading: .sample, encoder: encoder)
            }
        } catch {
            throw error.failure(of: nil)
        }
        do throws(AdmissionFault) {
            guard let admission else {
                let table = names.first { ExampleFiles.listed.dropFirst().contains($0) }
                if readsExamples, let table {
                    throw AdmissionFault.unreadable(
                        "\(table) is encoded as its base's files say, and the base is not known; name the base's "
                            + "folder with --base")
                }
                return (try TaskSettingsFile.read(folder: task), nil)
            }
            guard holdsCheckpoint(names) || !isRelease && !admission.isWhole else {
                return readsExamples
                    ? try admission.examples(task) : (try TaskSettingsFile.read(folder: task), nil)
            }
            let source = try admission.task(task, name: name).source
            return (source.settings, source.examples)
        } catch {
            throw error.failure(of: name)
        }
    }

    private static func holdsCheckpoint(_ names: some Sequence<String>) -> Bool {
        TaskLayout.holdsWeights(names) || names.contains(TaskLayout.adapterConfiguration)
    }

    /// The base of a task: the named one, the registry's, that of the release, or the model itself where it is no task.
    private static func baseFolder(
        of task: String, scoring model: String, base: String?, isRelease: Bool
    ) -> String? {
        if let base { return base }
        let registered = "\(task)/../../base"
        if UploadLocation.realPath(task)?.pathNames.dropLast().last == "tasks", exists(registered) { return registered }
        if isRelease {
            let bytes = try? Durable.contents("\(model)/release.json")
            let record = bytes.flatMap { try? JSON.decode(ReleaseRecord.self, from: Data($0)) }
            return record.flatMap { exists($0.base.directory) ? $0.base.directory : nil }
        }
        let isTask = (ExampleFiles.listed + [TaskLayout.settings, TaskLayout.adapterConfiguration]).contains {
            exists("\(model)/\($0)")
        }
        return isTask || UploadLocation.realPath(model) == UploadLocation.realPath(task) || !exists(model) ? nil : model
    }

    private static func exists(_ path: String) -> Bool {
        ((try? FileStatus.ifPresent(path, followingLinks: true)) ?? nil) != nil
    }
}
