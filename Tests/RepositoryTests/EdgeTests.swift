import Testing

/// Happens-before edges: what comments of the sources name in brackets, and docs/memory-model.md, are the same.
@Suite struct EdgeTests {
    @Test(.enabled(if: Repository.has("docs/memory-model.md"), "there is no docs/memory-model.md yet"))
    func `every edge is in the memory model, and the memory model has no other`() throws {
        let document = try #require(Repository.file("docs/memory-model.md"))
        let documented = Set(MarkdownDocument(document.text).proseLines.flatMap(edgeNames))
        var places: [String: Set<String>] = [:]
        for file in Repository.sources {
            for line in file.lines {
                for name in edgeNames(in: comment(of: line)) { places[name, default: []].insert(file.path) }
            }
        }
        #expect(places.count > 5)
        for (name, paths) in places where !documented.contains(name) {
            Issue.record("[\(name)] is not in docs/memory-model.md; it is named in \(paths.sorted())")
        }
        for name in documented.subtracting(places.keys) {
            Issue.record("docs/memory-model.md has [\(name)], which no comment of the sources names")
        }
    }

    @Test(.enabled(if: Repository.has("docs/memory-model.md"), "there is no docs/memory-model.md yet"))
    func `no edge has two rows of the same file`() throws {
        let document = try #require(Repository.file("docs/memory-model.md"))
        let rows = MarkdownDocument(document.text).tableRows
        #expect(rows.count > 5)
        for twice in repeated(rows) { Issue.record("docs/memory-model.md has two rows of \(twice)") }
    }

    @Test func `a second row of the same file is seen, one of another file is none`() {
        #expect(repeated([["edge", "where"], ["[a1]", "x", "`A.swift`"], ["[a1]", "y", "`B.swift`"]]) == [])
        #expect(
            repeated([["[a1]", "x", "`A.swift`"], ["[b1]", "`A.swift`"], ["[a1]", "y", "`B.swift`, `A.swift`"]])
                == ["[a1] in A.swift"])
    }

    @Test func `an edge is a word or two in brackets, and no link`() {
        #expect(edgeNames(in: "releasing: [park] [hand-off], and [object lock].") == ["park", "hand-off", "object lock"])
        #expect(edgeNames(in: "see [the page](page.md), [K], [0], [String], [a-], []") == [])
    }

    @Test func `only comments name edges`() {
        #expect(comment(of: "let x = list[index]") == "")
        #expect(comment(of: "word.load(ordering: .acquiring)  // [wake]") == "// [wake]")
    }

    /// Edges, each with a file that more than one row of theirs names.
    private func repeated(_ rows: [[String]]) -> [String] {
        var seen: Set<String> = []
        return rows.flatMap { row in
            edgeNames(in: (row.first ?? "")[...]).flatMap { edge in
                (row.last ?? "").quotedNames.map { "[\(edge)] in \($0)" }
            }
        }.filter { !seen.insert($0).inserted }
    }

    private func comment(of line: Substring) -> Substring {
        line.firstRange(of: "//").map { line[$0.lowerBound...] } ?? ""
    }

    private func edgeNames(in text: Substring) -> [String] {
        text.matches(of: /\[([a-z][a-z0-9]+(?:[- ][a-z0-9]+)*)\](?!\()/).map { String($0.output.1) }
    }
}
