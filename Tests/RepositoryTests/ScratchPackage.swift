// A package that depends on this one by its path, as an embedder's does. It is made in an ignored folder, so that a
// second run builds only what has changed.

import Foundation

enum ScratchPackage {
    static let folder = Repository.url(".build-scratch")
    static var program: URL { folder.appending(path: ".build/release") }

    /// The files of Tests/Probes that are built.
    static let probes = ["FastPaths", "Seam", "Bare"]

    /// Swift code on the front page: the example of how to embed.
    static var example: [Substring]? {
        guard let page = Repository.file("README.md") else { return nil }
        return MarkdownDocument(page.text).codeBlocks.first { $0.language == "swift" }?.lines
    }

    /// The release build of the scratch package: done once, by whoever asks first.
    static let build: Result<Command.Result, any Error> = Result {
        var targets = probes
        for probe in probes {
            try write(Repository.file("Tests/Probes/\(probe).swift")!.text, to: "Sources/\(probe)/\(probe).swift")
            try write("// Nothing runs: the functions are disassembled.\n", to: "Sources/\(probe)/main.swift")
        }
        if let example {
            targets.append("Example")
            // The example may be a function: then it is called.
            let calls = example.compactMap { $0.firstMatch(of: /^func (\w+)\(\) throws/) }
                .map { "_ = try \($0.output.1)()" }
            let program = example.map(String.init) + calls
            try write(program.joined(separator: "\n") + "\n", to: "Sources/Example/main.swift")
        }
        try write(manifest(targets: targets), to: "Package.swift")
        let build = { try Command.run("swift", ["build", "-c", "release", "--package-path", folder.path]) }
        let first = try build()
        if first.status == 0 { return first }
        // Where a source file is new since the last time, the package manager may begin with the old list of them.
        try FileManager.default.removeItem(at: folder.appending(path: ".build"))
        return try build()
    }

    private static func manifest(targets: [String]) -> String {
        """
        // swift-tools-version: 6.2
        import PackageDescription

        let package = Package(
            name: "scratch",
            dependencies: [.package(name: "stillpoint", path: "..")],
            targets: \(targets).map {
                .executableTarget(name: $0, dependencies: [.product(name: "Stillpoint", package: "stillpoint")])
            }
        )

        """
    }

    /// Leaves a file that is right already as it is, so that it is not built again.
    private static func write(_ text: String, to path: String) throws {
        let url = folder.appending(path: path)
        if (try? String(contentsOf: url, encoding: .utf8)) == text { return }
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    /// The modules that were built: folders with object files in them. (The package manager makes a folder with a list of
    /// sources for the others, too.)
    static var builtModules: Set<String> {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: program.path)) ?? []
        return Set(
            names.filter { $0.hasSuffix(".build") && holdsObjectFile(program.appending(path: $0)) }
                .map { String($0.dropLast(6)) })
    }

    private static func holdsObjectFile(_ folder: URL) -> Bool {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
        return names.contains { $0.hasSuffix(".o") }
    }

    /// Whether this test runs under a sanitizer. Then the scratch package tells nothing that the plain run does not.
    static let isSanitized = dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
}
