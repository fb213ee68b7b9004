import Testing

@testable import StillpointCommand

@Suite struct ArgumentTests {
    private func parse(_ arguments: String...) throws -> IndexCommand {
        try #require(try Command.parseAsRoot(["index"] + arguments) as? IndexCommand)
    }

    @Test func `paths, threads, a query of several words, top and json are understood`() throws {
        let command = try parse("a", "b", "--threads", "3", "--top", "7", "--json", "--query", "x", "Y z")
        #expect(command.paths == ["a", "b"])
        #expect(command.threads == 3)
        #expect(command.top == 7)
        #expect(command.json)
        #expect(QueryWords(command.query).words == ["x", "y", "z"].map { Array($0.utf8) })
    }

    @Test func `paths may follow a query behind two dashes`() throws {
        let command = try parse("--query", "x", "--", "a")
        #expect(command.query == ["x"])
        #expect(command.paths == ["a"])
    }

    @Test func `the limits of numbers are taken, what is beyond is refused`() throws {
        #expect(try parse("--threads", "1").threads == 1)
        #expect(try parse("--threads", "256").threads == 256)
        for value in ["0", "-1", "257", "abc", "", "1.5", "99999999999999999999"] {
            #expect(throws: (any Error).self) { try parse("--threads", value) }
        }
        for value in ["0", "-3", "x"] {
            #expect(throws: (any Error).self) { try parse("--top", value) }
        }
        #expect(throws: (any Error).self) { try parse("--query", "--", "a") }
        #expect(throws: (any Error).self) { try parse("--query", "--") }
        #expect(throws: (any Error).self) { try parse("--query", "...") }
        #expect(throws: (any Error).self) { try parse("--unknown") }
    }

    @Test func `words of a query are each kept once, cut as documents are`() {
        #expect(QueryWords("Foo-bar foo É").words == ["foo", "bar", "É"].map { Array($0.utf8) })
        #expect(QueryWords("--").words.isEmpty)
    }
}
