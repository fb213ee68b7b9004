import Testing

@Suite struct LayeringTests {
    let table: FloorTable

    init() throws {
        table = FloorTable(markdown: try #require(Repository.file("docs/architecture.md")).text)
    }

    @Test func `every module imports only floors below its own`() {
        let files = Repository.files(under: "Sources", withExtension: "swift")
        #expect(files.count > 10)
        for breach in files.flatMap(table.breaches) { Issue.record("\(breach)") }
    }

    @Test func `the table of floors is whole`() {
        #expect(table.floors.map(\.number) == Array(0...10))
        #expect(Set(table.modules).count == table.modules.count)
        for floor in table.floors {
            #expect(!floor.modules.isEmpty)
            for module in floor.modules {
                #expect(Repository.has("Sources/\(module)") != floor.isToCome, "\(module)")
            }
        }
    }

    @Test func `every folder of Sources has a row`() {
        for module in Set(Repository.files(under: "Sources").compactMap(\.module)) {
            #expect(table.modules.contains(module), "\(module)")
        }
    }

    @Test func `floors 0 to 8 import nothing from outside but Glibc, and floor 1 Synchronization`() {
        for floor in table.floors where floor.number <= 8 {
            let own: Set = floor.number == 1 ? ["Glibc", "Synchronization", "StillpointModel", "ModelCheck"] : ["Glibc"]
            #expect(floor.outside.isSubset(of: own), "floor \(floor.number)")
        }
    }

    @Test func `the command imports the face and no floor below it`() {
        for file in Repository.files(under: "Sources/StillpointCommand", withExtension: "swift") {
            let ours = importedModules(in: file.text).filter(table.modules.contains)
            #expect(ours.allSatisfy { $0 == "Stillpoint" }, "\(file.path): \(ours)")
        }
    }

    // MARK: The machinery sees breaches

    @Test(arguments: [
        "import StillpointThreads",
        "public import StillpointThreads",
        "    internal import StillpointThreads  // for a reason",
        "@testable import StillpointThreads",
        "@_spi(Inner) @preconcurrency public import StillpointThreads",
        "import struct StillpointThreads.ThreadRecord",
        "import Glibc; import StillpointThreads",
        "import StillpointSynchronization",
        "import StillpointCommand",
        "import Foundation",
    ])
    func `a made-up breach is seen`(line: String) {
        let file = RepositoryFile(
            path: "Sources/StillpointSynchronization/Made.swift", text: "// text\n\(line)\nlet x = 1\n")
        #expect(table.breaches(in: file).count == 1)
    }

    @Test(arguments: [
        "internal import StillpointPlatform", "public import CStillpoint", "import Glibc",
        "// import StillpointThreads", "///     import StillpointThreads",
        "let importer = StillpointThreads.self",
    ])
    func `what is allowed is not taken for a breach`(line: String) {
        let file = RepositoryFile(path: "Sources/StillpointSynchronization/Made.swift", text: line)
        #expect(table.breaches(in: file).isEmpty)
    }

    @Test func `a module without a row is a breach`() {
        let file = RepositoryFile(path: "Sources/StillpointAttic/Made.swift", text: "import Glibc")
        #expect(table.breaches(in: file).count == 1)
    }
}
