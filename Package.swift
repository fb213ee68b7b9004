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

        floor("StillpointPlatform", on: ["CStillpoint"]),
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
