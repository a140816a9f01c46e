// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// The root of another libtorch (2.x, or a CUDA build): a folder with `include` and `lib`. Unset: Debian's
/// `libtorch-dev`.
let libtorchRoot = ProcessInfo.processInfo.environment["LIBTORCH_ROOT"]

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Whether the fuzzer is built: `make fuzz`.
let isFuzzed = ProcessInfo.processInfo.environment["SUPERMERGE_FUZZ"] != nil

let torchHeaders: [CXXSetting] =
    libtorchRoot.map { root in
        [.unsafeFlags(["-I\(root)/include", "-I\(root)/include/torch/csrc/api/include"])]
    } ?? []

let torchLibraries: [LinkerSetting] =
    (libtorchRoot.map { root in
        [.unsafeFlags(["-L\(root)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(root)/lib"])]
    } ?? []) + [.linkedLibrary("torch_cpu"), .linkedLibrary("c10")]

/// Debug builds, which the tests are, compile what loops over bytes and numbers as release builds do: unoptimised it is
/// much of their time.
let isOptimised: [CXXSetting] = [.unsafeFlags(["-O2"], .when(configuration: .debug))]
let isOptimisedSwift: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nio = ["NIOCore", "NIOHTTP1", "NIOPosix"].map { Target.Dependency.product(name: $0, package: "swift-nio") }
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// A module of ours under `Sources/<name>`.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil,
    settings: [SwiftSetting] = strict
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

/// A module of ours that goes through files and numbers element by element.
func optimised(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    module(name, dependencies, resources: resources, settings: strict + isOptimisedSwift)
}

/// A program under `Sources/<name>`: wiring only.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Tests of one module, mirroring `Sources`; `Fixtures` holds the committed reference data.
func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: dependencies,
        resources: fixtures ? [.copy("Fixtures")] : nil,
        swiftSettings: [.treatAllWarnings(as: .error)])
}

let package = Package(
    name: "supermerged",
    products: [
        .executable(name: "supermerged", targets: ["supermerged"]),
        .executable(name: "supermerge", targets: ["supermerge"]),
        .executable(name: "supermergectl", targets: ["supermergectl"]),
        // What alone links libtorch; supermerge loads it when it first needs it.
        .library(name: "supermerge-torch", type: .dynamic, targets: ["CTorchLibrary"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // What every room stands on.
        .target(name: "CFiles"),
        optimised("Files", ["CFiles", systemPackage, crypto]),
        optimised("Safetensors", ["Files"]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        optimised("Adapters", ["CRE2", "Safetensors", "Files"]),
        module("WorkerProtocol", ["Files"]),

        // The numerical side: linked by `supermerge` alone.
        .target(name: "CKernels", cxxSettings: isOptimised),
        .target(name: "CTorch", dependencies: ["CKernels"]),
        .target(
            name: "CTorchLibrary", publicHeadersPath: ".",
            cxxSettings: torchHeaders + isOptimised
                + [.headerSearchPath("../CTorch/include"), .headerSearchPath("../CKernels/include")],
            linkerSettings: torchLibraries),
        optimised("Torch", ["CKernels", "CTorch"]),
        optimised("ExportedGraph", ["Files", "Safetensors"]),
        optimised("ModelFamilies", ["ExportedGraph", "Files", "Safetensors"]),
        optimised("ExportedModel", ["ExportedGraph", "Torch"]),
        optimised("Engine", ["ExportedGraph", "ExportedModel", "Torch"]),
        optimised(
            "Merging",
            [
                "Adapters", "Engine", "ExportedGraph", "ExportedModel", "ModelFamilies", "Safetensors", "Tasks",
                "Tokenizers", "Torch", "WorkerProtocol", "Files",
            ]),

        // Texts and images to tensors, in `supermerge` alone.
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        optimised("Tokenizers", ["Files", "CPCRE2"]),
        // PNG and JPEG files to pixels.
        .target(name: "CImages", linkerSettings: [.linkedLibrary("png16"), .linkedLibrary("jpeg")]),
        optimised("Examples", ["CImages", "Tokenizers", "Safetensors", "Files", "WorkerProtocol"]),

        // What a base and a task must be, for every program: never links libtorch.
        optimised(
            "Tasks",
            ["Adapters", "ExportedGraph", "ModelFamilies", "Safetensors", "Files", "WorkerProtocol", "Yams"],
            resources: [.embedInCode("Configuration/defaults.json")]),

        module("Submission", ["Tasks", "Files", "WorkerProtocol"]),

        // The service side: never links libtorch.
        module("Ledger", ["Files"]),
        module("Registry", ["Tasks", "ExportedGraph", "Files", "WorkerProtocol"]),
        module("Signing", ["Files", crypto]),
        module("Releases", ["Safetensors", "Signing", "Files", "WorkerProtocol"]),
        .target(name: "CSystemd", linkerSettings: [.linkedLibrary("systemd")]),
        module("Systemd", ["CSystemd"]),
        .target(name: "CSandbox"),
        .target(name: "CControl"),
        module("Control", ["CControl", "Files", "WorkerProtocol", "Ledger"] + nio),
        module(
            "Daemon",
            [
                "Control", "CSandbox", "Registry", "Releases", "Ledger", "Signing", "Systemd", "Tasks",
                "WorkerProtocol",
                "Files", "Yams",
                logging, systemPackage,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ] + nio,
            resources: ["html", "css"].map { .embedInCode("Dashboard/Page/dashboard.\($0)") }
                + ["drawing", "sections", "follow"].map { .embedInCode("Dashboard/Page/\($0).js") }),

        program("supermerged", ["Daemon", "WorkerProtocol", argumentParser]),
        program(
            "supermerge",
            [
                "Adapters", "Examples", "Merging", "ModelFamilies", "Tasks", "Tokenizers", "Releases", "Safetensors",
                "Files",
                "WorkerProtocol", argumentParser,
            ]),
        program(
            "supermergectl",
            [
                "Control", "Releases", "Ledger", "Signing", "Submission", "Tasks", "Files", "WorkerProtocol",
                argumentParser,
            ]),

        // The labelled sets of `make demo`.
        .executableTarget(
            name: "demo-data", dependencies: ["Safetensors", argumentParser], path: "Demo/Data", swiftSettings: strict),

        // Where untrusted bytes come in, for the committed attacks and for the fuzzer, which brings its own `main`.
        .target(
            name: "Attacks",
            dependencies: [
                "Adapters", "Control", "Examples", "ExportedGraph", "Files", "Safetensors", "Tasks", "Tokenizers",
                "WorkerProtocol",
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + nio,
            path: "Fuzz/Attacks", swiftSettings: strict),
        // What the suites of docs/reliability.md count with, and a program that does one step of the stores alone.
        .target(name: "Reliability", path: "Tests/Reliability", swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "store-drill",
            dependencies: [
                "Ledger", "Registry", "Releases", "Reliability", "Safetensors", "Tasks", "Files", "WorkerProtocol",
            ],
            path: "Tests/StoreDrill", swiftSettings: [.treatAllWarnings(as: .error)]),
        .target(
            name: "StoreState", dependencies: ["Ledger", "Releases", "WorkerProtocol", "Files"],
            path: "Tests/StoreState", swiftSettings: [.treatAllWarnings(as: .error)]),
        // `make power-cut`: what a disk holds when the power goes, and what the stores make of it.
        .target(
            name: "DiskReplay", dependencies: ["Reliability"], path: "Tests/DiskReplay",
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "power-drill",
            dependencies: ["DiskReplay", "StoreState", "Reliability", "Ledger", "Releases", "Files"],
            path: "Tests/PowerDrill", swiftSettings: [.treatAllWarnings(as: .error)]),

        tests("Files", ["Files"]),
        tests("Attack", ["Attacks", "Files", "Reliability", "Safetensors"]),
        tests("Safetensors", ["Safetensors", "Files", "Reliability"]),
        tests("Adapters", ["Adapters", "Safetensors", "Files"], fixtures: true),
        tests("WorkerProtocol", ["WorkerProtocol"]),
        tests("Tokenizers", ["Tokenizers"], fixtures: true),
        tests("Examples", ["Examples", "Tokenizers", "Safetensors", "Files", "WorkerProtocol"], fixtures: true),
        tests("Torch", ["Torch"]),
        tests("ExportedGraph", ["ExportedGraph", "Reliability"], fixtures: true),
        tests(
            "ModelFamilies", ["ModelFamilies", "ExportedModel", "ExportedGraph", "Torch", "Safetensors", "Files"],
            fixtures: true),
        tests("ExportedModel", ["Engine", "ExportedModel", "ExportedGraph", "Torch", "Safetensors"], fixtures: true),
        tests(
            "Merging",
            [
                "Merging", "Adapters", "Engine", "Files", "ExportedModel", "ExportedGraph", "ModelFamilies", "Registry",
                "Releases", "Tasks", "Tokenizers", "Torch", "Safetensors", "WorkerProtocol",
            ],
            fixtures: true),
        tests("Ledger", ["Ledger", "Files", "Reliability"]),
        tests(
            "Registry",
            ["Registry", "Tasks", "ExportedGraph", "Safetensors", "WorkerProtocol", "Files", "Reliability"],
            fixtures: true),
        tests("Submission", ["Submission", "Tasks", "Files", "Reliability"]),
        tests("Signing", ["Signing", "Files", crypto]),
        tests("Releases", ["Releases", "Safetensors", "Signing", "WorkerProtocol", "Files", "Reliability", crypto]),
        tests("Systemd", ["Systemd"]),
        tests("DiskReplay", ["DiskReplay"]),
        tests(
            "Daemon",
            [
                "Daemon", "Control", "Registry", "Releases", "Ledger", "Systemd", "Tasks", "WorkerProtocol", "Files",
                "Reliability", logging, crypto,
            ] + nio),
        tests(
            "EndToEnd",
            [
                "Safetensors", "Releases", "Ledger", "Registry", "Tasks", "WorkerProtocol", "Control", "Files",
                "Reliability", "StoreState", "supermerged", "supermerge", "supermergectl", "store-drill",
            ]),
    ] + (isFuzzed ? [.executableTarget(name: "fuzz", dependencies: ["Attacks"], path: "Fuzz/Fuzzer")] : []),
    cxxLanguageStandard: .cxx17
)
