import Files
import Foundation
import Registry
import Tasks
import Testing
import WorkerProtocol

/// What is refused is refused everywhere, by one code and in the same words: by a registry's admission, and by
/// `inspect`, `merge` and `evaluate`.
@Suite struct OneRuleBookTests {
    struct Answer: Hashable, Sendable {
        var code: String?
        var message: String
    }

    @Test(arguments: RefusalCase.all) func refusesAlikeEverywhere(_ refusal: RefusalCase) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)").path
        defer { try? Durable.remove(directory) }
        let registry = directory + "/registry"
        var upload = try InputUpload(.vision, in: registry)
        try refusal.change(&upload)
        let (base, task) = (upload.base.path, upload.task.path)
        let admission = try #require(try await admission(registry, refusal))
        let inspection = try AdmissionDryRun(refusal.isOfBase ? base : task, base: refusal.isOfBase ? nil : base)
            .verdict()
        // Without examples a method that learns nothing would do.
        let code = inspection.outcome == .admittedForStaticMethods ? refusal.code : inspection.code
        let answers = [
            "inspect": Answer(code: code, message: inspection.message ?? ""),
            "merge": try merge(base, task, .whole), "merge of a sample": try merge(base, task, .sample),
            "evaluate": try evaluate(base, task),
        ]
        #expect(inspection.outcome != .admitted)
        #expect(admission.code == refusal.code, "\(admission.message)")
        for (door, answer) in answers { #expect(answer == admission, "\(door)") }
    }

    /// What the registry says; an unfinished download is still arriving there.
    private func admission(_ registry: String, _ refusal: RefusalCase) async throws -> Answer? {
        let scanner = RegistryScanner(
            registry: registry, cache: registry + "/../cache.json", settle: .zero, requiresValidation: true,
            labelled: MergeSettings().labelled)
        let snapshot = try await scanner.scan().snapshot
        if refusal.isOfBase { return answer(snapshot.base) }
        return snapshot.tasks["task"].flatMap(answer)
    }

    private func answer<Content>(_ upload: Upload<Content>) -> Answer? {
        switch upload {
        case .refused(let refusal): Answer(code: refusal.code, message: refusal.message)
        case .arriving(let reason): Answer(code: "download-unfinished", message: reason)
        case .accepted, .missing: nil
        }
    }

    private func merge(_ base: String, _ task: String, _ reading: WeightsReading.Extent) throws -> Answer {
        answer {
            _ = try FolderAdmission.sources(
                base: base, tasks: [("task", task)], settings: MergeSettings(), reading: reading)
        }
    }

    private func evaluate(_ base: String, _ task: String) throws -> Answer {
        answer {
            _ = try FolderAdmission.settings(of: task, name: "task", scoring: base, base: base, readsExamples: true)
        }
    }

    private func answer(_ body: () throws -> Void) -> Answer {
        do {
            try body()
            return Answer(message: "accepted")
        } catch let failure as WorkerEvent.Failure {
            return Answer(code: failure.code, message: failure.message)
        } catch {
            return Answer(message: "\(error)")
        }
    }

    @Test func acceptsAlikeEverywhere() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)").path
        defer { try? Durable.remove(directory) }
        let upload = try InputUpload(.vision, in: directory + "/registry")
        let (base, task) = (upload.base.path, upload.task.path)
        let verdict = try AdmissionDryRun(task, base: base).verdict()
        #expect(verdict.outcome == .admitted, "\(verdict.text)")
        let sources = try FolderAdmission.sources(
            base: base, tasks: [("task", task)], settings: MergeSettings(), reading: .whole)
        let scanner = RegistryScanner(
            registry: directory + "/registry", cache: directory + "/cache.json", settle: .zero,
            requiresValidation: true, labelled: MergeSettings().labelled)
        let snapshot = try await scanner.scan().snapshot
        guard case .accepted(let accepted)? = snapshot.tasks["task"] else {
            Issue.record("\(String(describing: snapshot.tasks["task"]))")
            return
        }
        #expect(sources.tasks.map(\.digest) == [accepted.source.digest])
    }
}
