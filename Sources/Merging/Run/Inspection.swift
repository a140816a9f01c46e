internal import Adapters
internal import ExportedGraph
internal import ExportedModel
internal import Files
internal import ModelFamilies
internal import Safetensors
internal import WorkerProtocol

/// What a model folder, a safetensors file or a graph holds.
package struct Inspection: Codable, Sendable {
    package struct TensorLine: Codable, Sendable {
        package var name: String
        package var dtype: String
        package var shape: [Int]
    }

    package struct Graph: Codable, Sendable {
        /// Whether it was built from config.json, because there is no graph.pt2.
        package var isBuilt: Bool
        package var inputs: [String]
        package var parameters: Int
        package var nodes: Int
        /// Operators in use, sorted.
        package var operators: [String]
        /// Why this libtorch can't run it; nil where it can.
        package var fault: String?
    }

    package var path: String
    package var files: [String]
    package var tensors: [TensorLine]
    package var parameters: Int
    package var bytes: Int64
    package var graph: Graph?

    /// Looks at `path`; throws where it is none of the three or can't be read.
    package init(path: String) throws {
        self.path = path
        files = []
        tensors = []
        parameters = 0
        bytes = 0
        let kind = try FileStatus.ifPresent(path, followingLinks: true)?.kind
        let named = "name a model's folder, a .safetensors file or a graph.pt2"
        guard let kind else {
            throw MergeError(kind: .environment, message: "\(path): there is nothing of this name; \(named)")
        }
        if kind != .directory, path.hasSuffix(".pt2") {
            graph = try Self.graph { try ExportedGraph(archive: path) }
        } else if kind != .directory, path.hasSuffix(".safetensors") {
            let file = try SafetensorsFile(file: ReadableFile(path: path, followingLinks: true))
            add([path.splitPath.name], file.entries)
        } else if kind != .directory {
            throw MergeError(kind: .environment, message: "\(path): can't be looked into; \(named)")
        } else if Adapter.isPresent(directory: path) {
            let file = try? SafetensorsFile(
                file: ReadableFile(path: "\(path)/\(Adapter.weightsName)", followingLinks: true))
            if let file { add(Adapter.fileNames, file.entries) }
        } else {
            // What can't be read is said by the verdict on the folder.
            if let checkpoint = try? BaseWeights.open(directory: path) {
                add(checkpoint.fileNames, checkpoint.files.flatMap(\.entries).sorted { $0.name < $1.name })
                if try BaseGraph.isDescribed(directory: path) {
                    graph = try? Self.graph { try BaseGraph.open(directory: path) }
                }
            }
        }
    }

    private mutating func add(_ names: [String], _ entries: [TensorEntry]) {
        files += names
        tensors += entries.map { TensorLine(name: $0.name, dtype: $0.dtype.rawValue, shape: $0.shape) }
        parameters += entries.reduce(0) { $0 + $1.elementCount }
        bytes += entries.reduce(0) { $0 + $1.bytes.upperBound - $1.bytes.lowerBound }
    }

    /// One that can't be built is described by why.
    private static func graph(_ open: () throws -> ExportedGraph) throws -> Graph {
        let graph: ExportedGraph
        do {
            graph = try open()
        } catch let error as ModelFamilyError {
            return Graph(
                isBuilt: false, inputs: [], parameters: 0, nodes: 0, operators: [], fault: "\(error)")
        }
        var fault: String?
        do { _ = try ExportedModel(graph) } catch { fault = "\(error)" }
        let inputs = graph.signature.inputs.map { slot in
            let shape = slot.shape.map { $0.map(String.init) ?? "?" }.joined(separator: "×")
            let zeros = slot.rule.zerosLike == nil ? "" : ", zeros where it is not given"
            return "\(slot.name): \(slot.dtype) [\(shape)]\(zeros)"
        }
        return Graph(
            isBuilt: !graph.isArchived, inputs: inputs, parameters: graph.signature.parameters.count,
            nodes: graph.body.nodes.count,
            operators: Set(graph.body.nodes.map(\.target)).sorted(), fault: fault)
    }

    /// For people: a summary, then the tensors.
    package var text: String {
        var lines = [path]
        if !tensors.isEmpty {
            lines.append(
                "\(files.joined(separator: ", ")): \(tensors.count) tensors, \(parameters) elements, \(bytes) bytes")
        }
        if let graph, graph.nodes == 0, let fault = graph.fault {
            lines.append(fault)
        } else if let graph {
            lines.append(
                "graph\(graph.isBuilt ? " built from config.json" : ""): \(graph.nodes) nodes, \(graph.parameters) "
                    + "parameters, \(graph.operators.count) operators"
            )
            lines += graph.inputs.map { "  input \($0)" }
            lines.append(graph.fault.map { "  can't be run: \($0)" } ?? "  can be run here")
        }
        lines += tensors.map { "  \($0.name)  \($0.dtype)  \($0.shape.map(String.init).joined(separator: "×"))" }
        return lines.joined(separator: "\n")
    }
}
