import Foundation
import Testing

/// docs/fast-paths.md is the closed list; Tests/Probes/FastPaths.swift has a function for each operation of it.
@Suite struct FastPathTests {
    /// An operation of the list: `Type.function`, and how many locked instructions its straight path may have.
    struct Operation {
        let name: String
        let lockedCount: Int
        var symbol: String { "fastpath_" + name.replacing(".", with: "_") }
        var type: String { String(name.prefix { $0 != "." }) }
    }

    /// The first cell names operations in backquotes, the second of which may leave out the type; the third says `none`
    /// or `one`.
    static func operations(in markdown: String) -> [Operation] {
        MarkdownDocument(markdown).tableRows.flatMap { cells -> [Operation] in
            guard cells.count >= 3, let word = cells[2].split(separator: " ").first,
                let count = ["none": 0, "one": 1][word]
            else { return [] }
            var type = ""
            return cells[0].quotedNames.map { name in
                guard name.first?.isLowercase == true else {
                    type = String(name.prefix { $0 != "." })
                    return Operation(name: name, lockedCount: count)
                }
                return Operation(name: "\(type).\(name)", lockedCount: count)
            }
        }
    }

    /// Whether the sources declare a type of this name: an operation of a floor that is still to be built has no probe.
    private func isDeclared(_ type: String) -> Bool {
        Repository.sources.contains { file in
            file.lines.contains { line in
                ["enum", "struct", "class"].contains { line.contains("public \($0) \(type)") }
            }
        }
    }

    @Test(
        .enabled(if: !ScratchPackage.isSanitized, "a sanitizer changes the machine code"),
        .enabled(if: Repository.has("docs/fast-paths.md"), "there is no docs/fast-paths.md yet"))
    func `fast paths are inlined, call nothing and lock no more than the list says`() throws {
        #if arch(x86_64)
        let build = try ScratchPackage.build.get()
        try #require(build.status == 0, "\(build.output)")
        let disassembly = try Disassembler.disassemble(ScratchPackage.program.appending(path: "FastPaths"))
        let functions = MachineFunction.read(disassembly, prefix: "fastpath_")
        let list = Self.operations(in: try #require(Repository.file("docs/fast-paths.md")).text)
        #expect(list.count > 4)
        for operation in list {
            guard let function = functions.first(where: { $0.name == operation.symbol }) else {
                #expect(
                    !isDeclared(operation.type),
                    "\(operation.name) has no probe: Tests/Probes/FastPaths.swift lacks \(operation.symbol)")
                continue
            }
            let path = try #require(
                function.straightPath, "\(operation.name): every way to a return has a call on it")
            // liburcu's fences are not ours to count.
            let count = path.count { $0.isLocked } - path.count { $0.isFence }
            #expect(count <= operation.lockedCount, "\(operation.name): \(path)")
        }
        let symbols = Set(list.map(\.symbol))
        #expect(functions.allSatisfy { symbols.contains($0.name) }, "a probe is not in docs/fast-paths.md")
        #else
        print("fast paths are looked at on x86-64 only")
        #endif
    }

    // MARK: The machinery sees what it looks for

    static let code = """
        0000000000001000 <fastpath_Made_poll>:
            1000:\tpush   %rbp
            1001:\tcmpl   $0x1,(%rdi)
            1004:\tje     100c <fastpath_Made_poll+0xc>
            1006:\tpop    %rbp
            1007:\tjmp    2000 <slow>
            100c:\tlock cmpxchg %ecx,(%rbx)
            1010:\tjne    1018 <fastpath_Made_poll+0x18>
            1012:\tpop    %rbp
            1013:\tret
            1018:\txchg   %rax,(%rdi)
            101b:\tjmp    1012 <fastpath_Made_poll+0x12>

        0000000000002000 <slow>:
            2000:\tret

        0000000000003000 <fastpath_Made_call>:
            3000:\tcallq  0x2000 <slow>
            3005:\tretq
        """

    @Test func `the straight path keeps to the near side, but not into a call`() throws {
        let functions = MachineFunction.read(Self.code, prefix: "fastpath_")
        #expect(functions.map(\.name) == ["fastpath_Made_poll", "fastpath_Made_call"])
        let path = try #require(functions[0].straightPath)
        #expect(path.map(\.address) == [0x1000, 0x1001, 0x1004, 0x100c, 0x1010, 0x1012, 0x1013])
        #expect(path.count { $0.isLocked } == 1)
        #expect(functions[1].straightPath == nil)
    }

    @Test func `locked instructions are seen in the spellings of both disassemblers`() {
        let locked = ["1:\tlock cmpxchg %ecx,(%rbx)", "1:\tlock", "1: lock xaddl %eax, (%rdi)", "1:\txchg %al,(%rdi)"]
        let plain = ["1:\txchg %ax,%ax", "1:\tmfence", "1:\tcmpxchg %ecx,(%rbx)", "1:\tmov %rax,(%rdi)"]
        #expect(locked.compactMap { Instruction(line: $0[...]) }.map(\.isLocked) == [true, true, true, true])
        #expect(plain.compactMap { Instruction(line: $0[...]) }.map(\.isLocked) == [false, false, false, false])
    }

    @Test func `the list is read with types left out and locks in words`() {
        let list = Self.operations(in: """
            | operation | code | locks |
            |---|---|---|
            | `Counting.retain`, `release`, owner | add | none with counts of one's own |
            | `Attachment.attach` | much | one |
            """)
        #expect(list.map(\.name) == ["Counting.retain", "Counting.release", "Attachment.attach"])
        #expect(list.map(\.lockedCount) == [0, 0, 1])
        #expect(list[1].symbol == "fastpath_Counting_release")
    }
}
