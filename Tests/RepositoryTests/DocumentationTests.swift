import Testing

/// Links of README.md and docs lead somewhere. `script/docs` runs this suite.
@Suite struct DocumentationTests {
    static var documents: [RepositoryFile] {
        Repository.files(under: "docs", withExtension: "md") + [Repository.file("README.md")].compactMap(\.self)
    }

    @Test func `every link leads to a file or a heading`() {
        for document in Self.documents {
            for target in MarkdownDocument(document.text).linkTargets where !target.contains("://") {
                if let problem = problem(of: target, in: document) {
                    Issue.record("\(document.path): \(target): \(problem)")
                }
            }
        }
    }

    @Test func `every path of the repository that is named exists`() {
        let folders = ["Sources/", "Tests/", "StressTests/", "Benchmarks/", "script/", "docs/"]
        for document in Self.documents {
            for name in MarkdownDocument(document.text).proseLines.flatMap(\.quotedNames) {
                let path = String(name.prefix { $0 != " " && $0 != ":" })
                guard folders.contains(where: path.hasPrefix), path.wholeMatch(of: /[\w+.\/-]+/) != nil
                else { continue }
                #expect(Repository.has(path), "\(document.path) names \(path)")
            }
        }
    }

    @Test func `every document is reached from docs/README`() throws {
        let door = try #require(Repository.file("docs/README.md"))
        let linked = Set(MarkdownDocument(door.text).linkTargets.map { $0.prefix { $0 != "#" } })
        for document in Self.documents where document.path.hasPrefix("docs/") && document.path != door.path {
            #expect(linked.contains(document.name[...]), "\(document.path)")
        }
    }

    @Test func `a link that leads nowhere is seen`() {
        let document = RepositoryFile(path: "docs/made.md", text: "# One head\n")
        #expect(problem(of: "nowhere.md", in: document) != nil)
        #expect(problem(of: "#no-such-head", in: document) != nil)
        #expect(problem(of: "README.md#no-such-head", in: document) != nil)
        #expect(problem(of: "#one-head", in: document) == nil)
        #expect(problem(of: "../Package.swift", in: document) == nil)
    }

    private func problem(of target: String, in document: RepositoryFile) -> String? {
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        var text = document.text
        if !parts[0].isEmpty {
            var folders = document.path.split(separator: "/").dropLast()
            for part in parts[0].split(separator: "/") {
                if part == ".." {
                    if folders.popLast() == nil { return "outside the repository" }
                } else if part != "." {
                    folders.append(part)
                }
            }
            let path = folders.joined(separator: "/")
            guard Repository.has(path) else { return "there is no \(path)" }
            if parts.count == 1 { return nil }
            text = Repository.file(path)?.text ?? ""
        }
        guard parts.count == 2 else { return nil }
        return MarkdownDocument(text).anchors.contains(String(parts[1])) ? nil : "no such heading"
    }
}
