internal import Files
internal import Foundation
internal import WorkerProtocol

/// The CycloneDX 1.7 bill of materials of a release (https://cyclonedx.org/docs/1.7/json/), written from the release's
/// record: the merged model with the digests of its files, the base and the task checkpoints that it was made of, the
/// examples that judged it with the metrics, and the merge that made it.
struct BillOfMaterials {
    static let fileName = "bom.cdx.json"

    let record: ReleaseRecord

    /// The bytes of the file. The same record gives the same bytes.
    static func bytes(_ record: ReleaseRecord) throws -> [UInt8] {
        try Array(JSON.encode(BillOfMaterials(record: record).document, pretty: true)) + [UInt8(ascii: "\n")]
    }

    var document: JSONValue {
        let names = record.tasks.map { "task/\($0.name)" }
        return .object([
            "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json", "bomFormat": "CycloneDX",
            "specVersion": "1.7", "serialNumber": .string("urn:uuid:\(uuid)"), "version": 1,
            "metadata": .object([
                "timestamp": .string(record.created), "lifecycles": .array([.object(["phase": "build"])]),
                "tools": .object(["components": .array(tools)]), "component": model,
            ]),
            "components": .array([base] + record.tasks.map(checkpoint) + record.tasks.flatMap(datasets)),
            "dependencies": .array([
                .object([
                    "ref": "release", "dependsOn": .array((["base"] + names).map { .string($0) }),
                ])
            ]),
            "formulation": .array([.object(["workflows": .array([workflow])])]),
        ])
    }

    /// A name-based UUID of the release: its digest, number and time.
    private var uuid: String {
        let digest = Digest.sha256(
            Array("\(ReleaseContents.digest(of: record.result.outputs)) \(record.version) \(record.created)".utf8))
        var digits = Array(digest.utf8.prefix(32))
        // Version 8 and the variant of RFC 9562.
        (digits[12], digits[16]) = (UInt8(ascii: "8"), UInt8(ascii: "8"))
        let text = String(decoding: digits, as: UTF8.self)
        var parts: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    private var tools: [JSONValue] {
        let daemon: JSONValue = .object([
            "type": "application", "name": "supermerged", "version": .string(Product.version),
        ])
        return [daemon]
            + record.result.programs.sorted { $0.key < $1.key }.map { name, digest in
                .object([
                    "type": "application", "name": .string(name.pathNames.last ?? name),
                    "version": .string(record.result.versions["supermerge"] ?? Product.version),
                    "hashes": Self.hashes(digest),
                ])
            } + libraries
    }

    /// The libraries that the merge was computed with. What else `versions` tells (threads, kernels) is no component.
    private var libraries: [JSONValue] {
        ["libtorch", "blas"].compactMap { name in
            record.result.versions[name].map {
                .object(["type": "library", "name": .string(name), "version": .string($0)])
            }
        }
    }

    private var model: JSONValue {
        var component: [String: JSONValue] = [
            "type": "machine-learning-model", "bom-ref": "release", "name": "merged model",
            "version": .string(String(record.version)),
            "description": .string(
                "\(record.tasks.count) task checkpoints merged onto one base by \(record.settings.method.rawValue)"),
            "components": .array(
                record.result.outputs.sorted { $0.name < $1.name }.map { Self.file($0, in: "release") }),
            "modelCard": modelCard, "properties": .array(figures),
            "pedigree": .object([
                "ancestors": .array(
                    [ancestor("base", "base model")] + record.tasks.map { ancestor("task/\($0.name)", $0.name) })
            ]),
        ]
        if let origin = record.base.origin?.licence {
            component["properties"] = .array(figures + [Self.property("licence-of-base", origin)])
        }
        return .object(component)
    }

    /// An ancestor by name; the component with all that is known has the same name in `components`.
    private func ancestor(_ reference: String, _ name: String) -> JSONValue {
        .object([
            "type": "machine-learning-model", "name": .string(name),
            "properties": .array([Self.property("component", reference)]),
        ])
    }

    private var base: JSONValue {
        component(
            "base", name: "base model", digest: record.base.digest, files: record.base.files, record.base.origin, [])
    }

    private func checkpoint(_ task: TaskSource) -> JSONValue {
        component(
            "task/\(task.name)", name: task.name, digest: task.digest,
            files: task.files.filter { !Self.isExamples($0.name) }, task.settings.origin,
            [Self.property("objective", task.settings.objective.rawValue)])
    }

    private func component(
        _ reference: String, name: String, digest: String, files: [SourceFile], _ origin: ModelOrigin?,
        _ properties: [JSONValue]
    ) -> JSONValue {
        var component: [String: JSONValue] = [
            "type": "machine-learning-model", "bom-ref": .string(reference), "name": .string(name),
            "version": .string(String(digest.prefix(12))), "hashes": Self.hashes(digest),
            "components": .array(files.map { Self.file($0, in: reference) }),
        ]
        var properties = properties
        if let licence = origin?.licence { component["licenses"] = .array([Self.licence(licence)]) }
        if let source = origin?.source {
            if source.contains(/^https?:\/\/[!-~]+$/) {
                component["externalReferences"] = .array([.object(["type": "distribution", "url": .string(source)])])
            } else {
                properties.append(Self.property("source", source))
            }
        }
        if !properties.isEmpty { component["properties"] = .array(properties) }
        return .object(component)
    }

    private func datasets(_ task: TaskSource) -> [JSONValue] {
        task.files.filter { Self.isExamples($0.name) }.map { file in
            let reference = "task/\(task.name)/\(file.name)"
            return .object([
                "type": "data", "bom-ref": .string("data/\(reference)"), "name": .string("\(task.name): \(file.name)"),
                "hashes": Self.hashes(file.sha256),
                "data": .array([
                    .object(["type": "dataset", "name": .string("\(task.name): \(file.name)")])
                ]),
            ])
        }
    }
}

extension BillOfMaterials {
    static func isExamples(_ name: String) -> Bool { name.hasPrefix("validation.") || name.hasPrefix("examples.") }

    static func file(_ file: SourceFile, in folder: String) -> JSONValue {
        .object([
            "type": "file", "bom-ref": .string("file/\(folder)/\(file.name)"), "name": .string(file.name),
            "hashes": hashes(file.sha256), "properties": .array([property("bytes", String(file.bytes))]),
        ])
    }

    static func hashes(_ digest: String) -> JSONValue {
        .array([.object(["alg": "SHA-256", "content": .string(digest)])])
    }

    static func property(_ name: String, _ value: String) -> JSONValue {
        .object(["name": .string("supermerged:\(name)"), "value": .string(value)])
    }

    /// By its SPDX identifier where it is one of the usual ones, else by name.
    static func licence(_ text: String) -> JSONValue {
        let key = usualLicences.contains(text) ? "id" : "name"
        return .object(["license": .object([key: .string(text), "acknowledgement": "declared"])])
    }

    private static let usualLicences: Set = [
        "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later",
        "GPL-3.0-only", "GPL-3.0-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later",
        "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "Unlicense",
    ]
}
