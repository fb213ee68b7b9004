import Foundation
import Testing

/// Protocol code takes what threads share from one place, floor 1's seam, which costs nothing.
@Suite struct SeamTests {
    @Test(.enabled(if: !ScratchPackage.isSanitized, "a sanitizer changes the machine code"))
    func `the machine code through the seam is the machine code without it`() throws {
        let build = try ScratchPackage.build.get()
        try #require(build.status == 0, "\(build.output)")
        let seam = try functions(of: "Seam"), bare = try functions(of: "Bare")
        #expect(seam.count >= 10 && seam.count == bare.count)
        for function in seam {
            let other = try #require(bare.first { $0.name == function.name }, "\(function.name)")
            #expect(Self.text(of: function) == Self.text(of: other), "\(function.name)")
            #expect(!function.instructions.isEmpty)
        }
    }

    private func functions(of program: String) throws -> [MachineFunction] {
        let disassembly = try Disassembler.disassemble(ScratchPackage.program.appending(path: program))
        return MachineFunction.read(disassembly, prefix: "probe_")
    }

    /// The instructions, without padding; jumps within the function by their distance from its start, other places by name.
    static func text(of function: MachineFunction) -> [String] {
        let start = function.instructions.first?.address ?? 0
        let end = function.instructions.last?.address ?? 0
        return function.instructions.filter { !$0.isPadding }.map { instruction in
            if let target = instruction.target, (start...end).contains(target) {
                return "\(instruction.mnemonic) +\(target - start)"
            }
            // Where data lies is the linker's choice.
            let operands = instruction.operands.replacing(/-?0x[0-9a-f]+\(%rip\)/, with: "data(%rip)")
                .replacing(/0x[0-9a-f]+ (?=<)/, with: "").replacing(/\+0x[0-9a-f]+>/, with: ">").replacing(/#.*/, with: "")
            return "\(instruction.mnemonic) \(operands)"
        }
    }

    @Test func `only floor 1 takes atomics, sleeping, threads and grace periods from the system`() {
        let files = Repository.files(under: "Sources", withExtension: "swift").filter { file in
            ["Synchronization", "Memory", "Threads", "Objects", "Collectors", "Interpreters"].contains { file.module == "Stillpoint" + $0 }
        }
        #expect(files.count > 50)
        for breach in files.flatMap(Self.breaches) { Issue.record("\(breach)") }
    }

    static func breaches(in file: RepositoryFile) -> [String] {
        // Fork is the one moment at which liburcu's own hooks are called where the handlers stand.
        let forkHooks = ["sp_rcu_before_fork", "sp_rcu_after_fork_parent", "sp_rcu_after_fork_child"]
        let banned = /\b(import (?:\w+ )?Synchronization(?:\.\w+)?|import Dispatch|import Foundation|syscall|sp_rcu_\w+|sp_futex_\w+|sp_spin_hint|sp_os_thread_identity|sp_reader_number|pthread_(?!atfork)\w+|sched_yield|clock_\w+|nanosleep|usleep)\b/
        return file.lines.compactMap { line in
            let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
            guard let match = code.firstMatch(of: banned), !forkHooks.contains(String(match.output.1)) else { return nil }
            return "\(file.path): \(match.output.1), not through the seam"
        }
    }

    @Test(arguments: [
        "internal import Synchronization", "    sp_rcu_offline()", "while true { sched_yield() }",
        "let me = pthread_self()", "internal import struct Synchronization.Mutex", "let error = syscall(202)",
    ])
    func `a way around the seam is seen`(line: String) {
        let file = RepositoryFile(path: "Sources/StillpointThreads/Made.swift", text: line)
        #expect(Self.breaches(in: file).count == 1)
    }

    @Test func `what is in a comment is no way around the seam`() {
        let text = "// as sched_yield() would\nsp_rcu_before_fork()\npthread_atfork(nil, nil, nil)\n"
        #expect(Self.breaches(in: RepositoryFile(path: "Sources/StillpointThreads/Made.swift", text: text)).isEmpty)
    }
}
