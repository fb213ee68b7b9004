import StillpointPlatform
import StillpointThreads
import Synchronization

/// Accounts with an object lock each. Workers move money between two of them under a pair of locks, in any order, look at one
/// under its own, nest sections, and detach inside; stops come in between, and some move the accounts elsewhere. The sum
/// must stay, and plain memory under a lock must be ordered by it.
enum CriticalSectionScenario: Scenario {
    static let name = "critical-sections"
    static let summary = "pairs of object locks in any order, nesting, detaching inside, objects that move in pauses"
    static let smoke = SmokeBudget(operations: 300_000)

    /// An object header of 16 bytes (its lock is in the last four), and a plain number.
    struct Account: ~Copyable {
        let owner = Atomic<UInt64>(0)
        let shared = Atomic<UInt32>(0)
        let type = Atomic<UInt32>(1)
        var balance = 1_000
    }

    static let accountCount = 3

    static func run(_ context: StressContext) throws {
        let runtime = try StressRuntime(context, interpreterCount: 1)
        let interpreter = runtime.interpreters[0]
        // Each worker names the accounts by slots of its own, as handles would.
        let memory = UnsafeMutablePointer<Account>.allocate(capacity: accountCount * 2)
        for index in 0..<accountCount * 2 { (memory + index).initialize(to: Account()) }
        nonisolated(unsafe) let accounts = memory
        nonisolated(unsafe) let slots = (0..<context.threadCount * accountCount).map { index in
            let slot = ObjectSlot.allocate(capacity: 1)
            slot.initialize(to: UnsafeMutableRawPointer(accounts + index % accountCount))
            return slot
        }
        try context.runWorkers(context.threadCount + 1) { worker in
            if worker.index == context.threadCount {
                var isUpper = false
                while worker.isRunning {
                    let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
                    move(accounts, slots, to: &isUpper, in: interpreter)
                    check(accounts, isUpper: isUpper, context)
                    stopped.resume()
                    worker.countStop()
                    SystemThread.sleep(untilNanoseconds: worker.deadline(within: 300_000))
                }
                return
            }
            let own = Array(slots[worker.index * accountCount..<(worker.index + 1) * accountCount])
            try interpreter.withThread { thread in
                while worker.isRunning {
                    try take(own, thread, &worker)
                    worker.countOperation()
                    try thread.rest(&worker)
                }
            }
        }
        for slot in slots { slot.deallocate() }
        accounts.deinitialize(count: accountCount * 2)
        accounts.deallocate()
        runtime.end()
    }

    /// One transfer. Between two sections, and after any detach, a balance may have changed.
    private static func take(
        _ slots: [ObjectSlot], _ thread: ThreadPointer, _ worker: inout Worker
    ) throws {
        let from = worker.random.below(accountCount)
        let to = worker.random.below(accountCount)
        let amount = worker.random.below(10)
        let detaches = worker.random.oneIn(8)
        let nests = worker.random.oneIn(4)
        let yields = worker.random.oneIn(16)
        try CriticalSection.with(thread, slots[from], slots[to]) {
            if detaches {
                Attachment.detach(thread)
                try Attachment.attach(thread)
            }
            account(slots[from]).pointee.balance -= amount
            if yields { SystemThread.yield() }
            account(slots[to]).pointee.balance += amount
            if nests {
                CriticalSection.with(thread, slots[(to + 1) % accountCount]) {
                    let other = account(slots[(to + 1) % accountCount])
                    other.pointee.balance += 1
                    other.pointee.balance -= 1
                }
            }
        }
    }

    private static func account(_ slot: ObjectSlot) -> UnsafeMutablePointer<Account> {
        slot.pointee!.assumingMemoryBound(to: Account.self)
    }

    // MARK: In a pause

    /// Moves every account to the other half of the memory, lock bit and all, as a collector would.
    private static func move(
        _ accounts: UnsafeMutablePointer<Account>, _ slots: [ObjectSlot], to isUpper: inout Bool,
        in interpreter: StressInterpreter
    ) {
        CriticalSection.wakeAllParked(of: interpreter.roster)
        let source = accounts + (isUpper ? accountCount : 0)
        isUpper.toggle()
        let target = accounts + (isUpper ? accountCount : 0)
        for index in 0..<accountCount {
            target[index].balance = source[index].balance
            source[index].balance = -1_000_000
            // Nobody is parked any more, so the parked bit stays behind.
            let word = source[index].type.exchange(1, ordering: .relaxed)
            target[index].type.store(word & ~(2 << 24), ordering: .relaxed)
        }
        for (index, slot) in slots.enumerated() {
            slot.pointee = UnsafeMutableRawPointer(target + index % accountCount)
        }
    }

    private static func check(
        _ accounts: UnsafeMutablePointer<Account>, isUpper: Bool, _ context: StressContext
    ) {
        let first = isUpper ? accountCount : 0
        let sum = (first..<first + accountCount).reduce(0) { $0 + accounts[$1].balance }
        context.check(sum == accountCount * 1_000, "the balances sum up to \(sum)")
    }
}
