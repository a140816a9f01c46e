import ArgumentParser
import Merging
import WorkerProtocol

/// `supermerge inspect`: what a file or folder holds.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a model folder, a safetensors file or a graph holds, and whether it can be used.")

    @Argument(help: "A folder, a .safetensors file, or a graph.pt2.")
    var path: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try Console.reportingFaults {
            let inspection = try Inspection(path: path)
            if json {
                Console.print(json: try JSON.encode(inspection, pretty: true))
            } else {
                Console.print(inspection.text)
            }
        }
    }
}
