// swift-tools-version: 6.2
// One target a floor (docs/architecture.md): a module imports only modules on floors below its own.
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

func floor(_ name: String, on below: [String]) -> Target {
    .target(name: name, dependencies: below.map { .init(stringLiteral: $0) }, swiftSettings: strict)
}

func tests(of name: String, with others: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.init(stringLiteral: name), "StillpointTestSupport"] + others)
}

let package = Package(
    name: "stillpoint",
    products: [
        .library(name: "Stillpoint", targets: ["Stillpoint"]),
        // Internal: the floors by themselves, for the package in Benchmarks. No promise is made about it.
        .library(
            name: "StillpointFloors",
            targets: [
                "CStillpoint", "StillpointPlatform", "StillpointSynchronization", "StillpointMemory",
                "StillpointThreads",
            ]),
        .executable(name: "stillpoint", targets: ["StillpointCommand"]),
        .executable(name: "stillpoint-stress", targets: ["StillpointStress"]),
        .executable(name: "stillpoint-models", targets: ["StillpointModels"]),
    ],
    traits: [
        // The same source runs on the model checker (docs/verification.md). For this package's own tests alone.
        .trait(name: "ModelCheck"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CURCU", pkgConfig: "liburcu-qsbr", providers: [.apt(["liburcu-dev"])]),
        .target(
            name: "CStillpoint", dependencies: ["CURCU"],
            cSettings: [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("urcu-qsbr"), .linkedLibrary("urcu-common")]),

        // The model checker. No floor depends on it but in its own build, and no dependent compiles it.
        .target(name: "CStillpointModel", path: "ModelTests/Switch"),
        .target(
            name: "StillpointModel", dependencies: ["CStillpointModel"], path: "ModelTests/Checker",
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("InternalImportsByDefault")]),

        .target(
            name: "StillpointPlatform",
            dependencies: [
                "CStillpoint",
                .target(name: "StillpointModel", condition: .when(traits: ["ModelCheck"])),
            ],
            swiftSettings: strict),
        floor("StillpointSynchronization", on: ["CStillpoint", "StillpointPlatform"]),
        floor("StillpointMemory", on: ["StillpointPlatform", "StillpointSynchronization"]),
        floor("StillpointThreads", on: [
            "CStillpoint", "StillpointPlatform", "StillpointSynchronization", "StillpointMemory"]),
        floor("StillpointObjects", on: [
            "StillpointPlatform", "StillpointSynchronization", "StillpointMemory",
            "StillpointThreads"]),
        floor("StillpointCollectors", on: [
            "StillpointPlatform", "StillpointSynchronization", "StillpointMemory",
            "StillpointThreads", "StillpointObjects"]),
        floor("StillpointInterpreters", on: [
            "StillpointPlatform", "StillpointSynchronization", "StillpointMemory",
            "StillpointThreads", "StillpointObjects", "StillpointCollectors"]),
        floor("Stillpoint", on: [
            "StillpointPlatform", "StillpointSynchronization", "StillpointMemory",
            "StillpointThreads", "StillpointObjects", "StillpointCollectors",
            "StillpointInterpreters"]),

        .executableTarget(
            name: "StillpointCommand",
            dependencies: [
                "Stillpoint",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "StillpointStress",
            dependencies: [
                "Stillpoint", "StillpointThreads", "StillpointSynchronization",
                "StillpointPlatform", "StillpointMemory", "StillpointObjects",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "StressTests"),

        // Models of the protocols: `script/models` builds them with the trait ModelCheck; without it they are empty.
        .target(name: "CInstrumentation", dependencies: ["CStillpointModel"], path: "ModelTests/Instrumentation"),
        .executableTarget(
            name: "StillpointModels",
            dependencies: [
                "CStillpoint", "StillpointModel", "StillpointPlatform", "StillpointSynchronization", "StillpointMemory",
                "StillpointThreads",
                .target(name: "CInstrumentation", condition: .when(traits: ["ModelCheck"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "ModelTests/Models"),

        tests(of: "StillpointModel"),
        // For tests alone: in no product.
        .target(
            name: "StillpointTestSupport", dependencies: ["CStillpoint", "StillpointPlatform"],
            path: "Tests/StillpointTestSupport"),
        tests(of: "StillpointPlatform"),
        tests(of: "StillpointSynchronization", with: ["StillpointPlatform"]),
        tests(of: "StillpointMemory"),
        tests(of: "StillpointThreads", with: [
            "CStillpoint", "StillpointSynchronization", "StillpointPlatform", "StillpointMemory"]),
        tests(of: "StillpointObjects"),
        tests(of: "StillpointCollectors"),
        tests(of: "StillpointInterpreters"),
        tests(of: "Stillpoint"),
        tests(of: "StillpointCommand"),
        .testTarget(
            name: "StillpointStressTests",
            dependencies: [
                "StillpointStress", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "RepositoryTests"),
    ],
    swiftLanguageModes: [.v6]
)
