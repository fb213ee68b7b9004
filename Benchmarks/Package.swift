// swift-tools-version: 6.2
// The benchmarks: a package of its own, so that whoever depends on Stillpoint never builds them.
// What is measured, and against what: docs/benchmarks.md.
import PackageDescription

let package = Package(
    name: "stillpoint-benchmarks",
    products: [
        .executable(name: "stillpoint-bench", targets: ["StillpointBench"])
    ],
    dependencies: [
        .package(name: "stillpoint", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CLiburcuPeer", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(
            name: "StillpointBench",
            dependencies: [
                "CLiburcuPeer",
                .product(name: "StillpointFloors", package: "stillpoint"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)])
    ],
    swiftLanguageModes: [.v6]
)
