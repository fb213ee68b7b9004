// Machine code as objdump prints it, and the one path through a function that counts as straight.
//
// The straight path goes from a function's entry to a return. At a conditional jump it takes the side that is laid
// out next, unless nothing but calls and jumps to other functions is reached from there. So it is the path on which
// a fast path has nothing else to do, as long as the compiler keeps that side near, which is what is tested.

import Foundation

struct Instruction: Equatable {
    let address: UInt64
    /// Without prefixes: `cmpxchg`.
    let mnemonic: String
    let operands: String
    /// Whether it locks the bus or a cache line: a lock prefix, or an exchange with memory.
    let isLocked: Bool

    /// One line of objdump: `  a9b9:\tjne    a9bd <name+0xd>`. Nil if it is not an instruction.
    init?(line: Substring) {
        guard let colon = line.firstIndex(of: ":"),
            let address = UInt64(line[..<colon].trimmed, radix: 16)
        else { return nil }
        self.address = address
        var words = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace)
        var isLocked = false
        while let first = words.first, Self.prefixes.contains(first) {
            isLocked = isLocked || first == "lock"
            words.removeFirst()
        }
        operands = words.dropFirst().joined(separator: " ")
        // llvm-objdump gives a prefix a line of its own.
        mnemonic = words.first.map(String.init) ?? ""
        self.isLocked = isLocked || mnemonic.hasPrefix("xchg") && operands.contains("(")
    }

    private static let prefixes: Set<Substring> = [
        "lock", "rep", "repz", "repnz", "data16", "cs", "notrack", "bnd",
    ]

    /// The locked addition that stands for a fence of liburcu's (CStillpoint.h), or what llvm-objdump leaves of it.
    var isFence: Bool { mnemonic.hasPrefix("add") && operands.contains("-0x80(%rsp)") }

    /// What stands between functions so that the next is aligned.
    var isPadding: Bool { mnemonic.hasPrefix("nop") || mnemonic == "int3" || operands == "%ax,%ax" || operands == "%ax, %ax" }
    var isReturn: Bool { mnemonic.hasPrefix("ret") }
    var isCall: Bool { mnemonic.hasPrefix("call") || mnemonic == "syscall" }
    var isTrap: Bool { mnemonic == "ud2" || mnemonic.hasPrefix("int") }
    var isJump: Bool { mnemonic.hasPrefix("jmp") }
    var isConditionalJump: Bool { mnemonic.hasPrefix("j") && !isJump }

    /// Where a direct jump goes: nil for an indirect one.
    var target: UInt64? {
        let word = operands.prefix { $0 != " " }
        return UInt64(word.hasPrefix("0x") ? word.dropFirst(2) : word, radix: 16)
    }
}

enum Disassembler {
    struct Trouble: Error, CustomStringConvertible { let description: String }

    /// What the toolchain's llvm-objdump prints, or the system's objdump.
    static func disassemble(_ program: URL) throws -> String {
        let swift = try Command.run("sh", ["-c", "readlink -f \"$(command -v swift)\""]).output.trimmed
        let besideSwift = URL(filePath: swift).deletingLastPathComponent().appending(path: "llvm-objdump").path
        for tool in [besideSwift, "llvm-objdump", "objdump"] {
            let result = try Command.run(tool, ["-d", "--no-show-raw-insn", program.path])
            if result.status == 0 { return result.output }
        }
        throw Trouble(description: "neither llvm-objdump nor objdump works here: install binutils")
    }
}

struct MachineFunction {
    let name: String
    let instructions: [Instruction]

    /// The functions in objdump's output whose names begin with `prefix`.
    static func read(_ disassembly: String, prefix: String) -> [MachineFunction] {
        var found: [MachineFunction] = []
        var name: String?
        var instructions: [Instruction] = []
        func finish() {
            if let name { found.append(MachineFunction(name: name, instructions: instructions)) }
            name = nil
            instructions = []
        }
        for line in disassembly.split(separator: "\n", omittingEmptySubsequences: false) {
            if let head = line.wholeMatch(of: /[0-9a-f]+ <(.+)>:/) {
                finish()
                if head.output.1.hasPrefix(prefix) { name = String(head.output.1) }
            } else if name != nil, let instruction = Instruction(line: line) {
                instructions.append(instruction)
            }
        }
        finish()
        return found
    }

    /// The straight path, or nil if every way to a return has a call on it.
    var straightPath: [Instruction]? {
        let indices = Dictionary(uniqueKeysWithValues: instructions.indices.map { (instructions[$0].address, $0) })
        let isWarm = warmInstructions(indices)
        var path: [Instruction] = []
        var visited: Set<Int> = []
        var index = 0
        while instructions.indices.contains(index), isWarm[index], visited.insert(index).inserted {
            let instruction = instructions[index]
            path.append(instruction)
            if instruction.isReturn { return path }
            let successors = successors(of: index, indices)
            index = successors.first { isWarm[$0] } ?? instructions.count
        }
        return nil
    }

    /// Where an instruction goes on within the function, the next one first.
    private func successors(of index: Int, _ indices: [UInt64: Int]) -> [Int] {
        let instruction = instructions[index]
        let next = index + 1 < instructions.count ? [index + 1] : []
        if instruction.isReturn || instruction.isCall || instruction.isTrap { return [] }
        let target = instruction.target.flatMap { indices[$0] }.map { [$0] } ?? []
        if instruction.isJump { return target }
        return instruction.isConditionalJump ? next + target : next
    }

    /// For each instruction, whether a return is reached from it without a call.
    private func warmInstructions(_ indices: [UInt64: Int]) -> [Bool] {
        var isWarm = instructions.map(\.isReturn)
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for index in instructions.indices.reversed() where !isWarm[index] {
                if successors(of: index, indices).contains(where: { isWarm[$0] }) {
                    isWarm[index] = true
                    hasChanged = true
                }
            }
        }
        return isWarm
    }
}
