// The memory of an execution that should lie at the same addresses in each run, and in each process if it can be:
// stacks, and what models allocate. Protocols hash addresses, so a token replays only where they are the same.

internal import CStillpointModel

/// What a fibre is told when it starts.
struct FibreStart {
    let execution: Unmanaged<Execution>
    let index: Int
}

/// Stacks with a page that traps below each. Threads of protocol code need little; words of failures are made
/// elsewhere.
final class FibreStacks {
    private static let stackByteCount = 256 * 1024
    private static let wanted: UInt = 0x20_0000_0000
    private let base: UnsafeMutableRawPointer
    private let starts: UnsafeMutablePointer<FibreStart>
    private let count: Int

    init(count: Int) {
        self.count = count
        guard let base = sp_model_map(count * Self.stackByteCount, Self.wanted) else {
            fatalError("no memory for the stacks of a model's threads")
        }
        self.base = base
        starts = .allocate(capacity: count)
        for index in 0..<count { sp_model_guard(base + index * Self.stackByteCount) }
    }

    func unmap() {
        sp_model_unmap(base, count * Self.stackByteCount)
        starts.deallocate()
    }

    /// Which stack an address lies on, and how far below its top.
    func place(of address: UInt) -> (index: Int, depth: Int)? {
        guard address >= UInt(bitPattern: base) else { return nil }
        let offset = Int(address - UInt(bitPattern: base))
        guard offset < count * Self.stackByteCount else { return nil }
        let index = offset / Self.stackByteCount
        return (index, (index + 1) * Self.stackByteCount - offset)
    }

    func makeFibre(_ index: Int, execution: Execution) -> OpaquePointer {
        (starts + index).initialize(to: FibreStart(execution: .passUnretained(execution), index: index))
        let stack = base + index * Self.stackByteCount
        guard let fibre = sp_fibre_create(stack, Self.stackByteCount, fibreBody, starts + index) else {
            fatalError("no memory for a fibre")
        }
        return fibre
    }
}

/// What `Model.allocate` gives out: zeroed, and taken back as a whole when the run ends.
final class Arena {
    private static let byteCount = 16 * 1024 * 1024
    private static let wanted: UInt = 0x30_0000_0000
    private let base: UnsafeMutableRawPointer
    private var used = 0

    init() {
        guard let base = sp_model_map(Self.byteCount, Self.wanted) else { fatalError("no memory for a model's state") }
        self.base = base
    }

    func unmap() { sp_model_unmap(base, Self.byteCount) }

    func offset(of address: UInt) -> Int? {
        guard address >= UInt(bitPattern: base), address < UInt(bitPattern: base) + UInt(used) else { return nil }
        return Int(address - UInt(bitPattern: base))
    }

    func allocate(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer {
        let start = (used + alignment - 1) & ~(alignment - 1)
        guard start + byteCount <= Self.byteCount else { fatalError("a model allocates more than its arena has") }
        used = start + byteCount
        return base + start
    }

    func reset() {
        if used == 0 { return }
        sp_model_clear(base, used)
        used = 0
    }
}

/// Thread-local variables of the OS thread that each thread of a run has for its own.
final class ThreadLocals {
    private struct Variable {
        let address: UnsafeMutableRawPointer
        let byteCount: Int
        let offset: Int
    }
    private var variables: [Variable] = []
    private var byteCount = 0
    /// The initial values, then those of each slot that does not run.
    private var space: UnsafeMutableRawPointer?
    private var isPrepared = false

    private static let slotCount = Execution.maximumThreadCount + 2
    private static let initialSlot = slotCount - 1

    deinit { space?.deallocate() }

    /// Once for each variable: the same again is nothing.
    func add(_ address: UnsafeMutableRawPointer, _ byteCount: Int) {
        if variables.contains(where: { $0.address == address }) { return }
        variables.append(Variable(address: address, byteCount: byteCount, offset: self.byteCount))
        self.byteCount += (byteCount + 15) & ~15
        let space = UnsafeMutableRawPointer.allocate(byteCount: self.byteCount * Self.slotCount, alignment: 16)
        // The first run adds them one by one, before any thread has values of its own.
        self.space?.deallocate()
        self.space = space
        isPrepared = false
    }

    /// Whether every thread of the run has its own variable at this address.
    func contains(_ address: UInt) -> Bool {
        for variable in variables where address &- UInt(bitPattern: variable.address) < UInt(variable.byteCount) {
            return true
        }
        return false
    }

    /// After the set-up: takes the initial values, the first time, and gives them to every thread.
    func prepare() {
        guard byteCount > 0 else { return }
        if !isPrepared {
            save(Self.initialSlot)
            isPrepared = true
        }
        for slot in 0..<Execution.maximumThreadCount { beginThread(slot) }
    }

    func beginThread(_ slot: Int) {
        guard isPrepared, let space else { return }
        (space + slot * byteCount).copyMemory(from: space + Self.initialSlot * byteCount, byteCount: byteCount)
    }

    func exchange(from source: Int, to target: Int) {
        guard isPrepared else { return }
        save(source)
        restore(target)
    }

    func restoreInitial() {
        if isPrepared { restore(Self.initialSlot) }
    }

    private func save(_ slot: Int) {
        guard let space else { return }
        for variable in variables {
            (space + slot * byteCount + variable.offset)
                .copyMemory(from: variable.address, byteCount: variable.byteCount)
        }
    }

    private func restore(_ slot: Int) {
        guard let space else { return }
        for variable in variables {
            variable.address.copyMemory(
                from: space + slot * byteCount + variable.offset, byteCount: variable.byteCount)
        }
    }
}
