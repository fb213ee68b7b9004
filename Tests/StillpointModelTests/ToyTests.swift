import StillpointModel
import Testing

/// Toys with a bug that each is known for, and the same toys mended: the first are found, the second exhausted.
@Suite struct ToyTests {
    static var bounded: Exploration { .init(.depthFirst(preemptions: 2, staleReads: 2)) }

    /// Every way of exploring finds it, its token replays it, and its words name what matters.
    private func expectFound(
        _ text: String, _ name: String, sleepSets: Bool = true, priorities: Bool = true,
        _ setUp: @escaping (Model) -> Void
    ) throws {
        var strategies: [ExplorationStrategy] = [Self.bounded.strategy, .random(seed: 1, runs: 5000)]
        if sleepSets { strategies.append(.sleepSets(staleReads: nil)) }
        if priorities { strategies.append(.priorities(seed: 1, depth: 3, runs: 5000)) }
        for strategy in strategies {
            let report = Exploration(strategy).run(name, setUp)
            let failure = try #require(report.failure, "\(report)")
            #expect(failure.message.contains(text), "\(report)")
            let again = Exploration(.replay(failure.token)).run(name, setUp)
            #expect(again.failure?.message == failure.message)
            #expect(again.failure?.schedule == failure.schedule)
        }
    }

    private func expectExhausted(_ name: String, sleepSets: Bool = true, _ setUp: @escaping (Model) -> Void) {
        var strategies: [ExplorationStrategy] = [Self.bounded.strategy]
        if sleepSets { strategies.append(.sleepSets(staleReads: nil)) }
        for strategy in strategies {
            let report = Exploration(strategy).run(name, setUp)
            #expect(report.failure == nil, "\(report)")
            #expect(report.isExhausted, "\(report)")
        }
    }

    // MARK: Counters

    private func counter(byUpdate: Bool) -> (Model) -> Void {
        { model in
            let count = model.allocate(Atomic<Int>.self)
            model.name(count, "count")
            for name in ["one", "two"] {
                model.thread(name) {
                    if byUpdate {
                        count.pointee.wrappingAdd(1, ordering: .relaxed)
                    } else {
                        count.pointee.store(count.pointee.load(ordering: .relaxed) + 1, ordering: .relaxed)
                    }
                }
            }
            model.finally { model.expect(count.pointee.load(ordering: .relaxed) == 2, "an update was lost") }
        }
    }

    @Test func `a counter by load and store loses an update`() throws {
        try expectFound("an update was lost", "counter", counter(byUpdate: false))
    }

    @Test func `a counter by read-modify-write loses none`() { expectExhausted("counter", counter(byUpdate: true)) }

    // MARK: Sleeping

    private func handshake(looksAgain: Bool) -> (Model) -> Void {
        { model in
            let word = model.allocate(Atomic<UInt32>.self)
            model.name(word, "word")
            model.thread("waiter") {
                if word.pointee.load(ordering: .acquiring) == 1 { return }
                let seen: UInt32 = looksAgain ? 0 : word.pointee.load(ordering: .relaxed)
                while ModelFutex.wait(on: word, while: seen) == .woken,
                    word.pointee.load(ordering: .acquiring) == 0 {}
            }
            model.thread("setter") {
                word.pointee.store(1, ordering: .releasing)
                ModelFutex.wake(word)
            }
        }
    }

    @Test func `a lost wake-up is found`() throws {
        try expectFound("deadlock or lost wake-up: waiter sleeps on word", "handshake", handshake(looksAgain: false))
    }

    @Test func `a wait that compares the word loses no wake-up`() {
        expectExhausted("handshake", handshake(looksAgain: true))
    }

    @Test func `a wait survives wakes without cause only if it looks again`() throws {
        func model(_ isRight: Bool) -> (Model) -> Void {
            { model in
                model.spuriousWakes = 1
                let word = model.allocate(Atomic<UInt32>.self)
                model.thread("waiter") {
                    repeat {
                        _ = ModelFutex.wait(on: word, while: 0)
                    } while isRight && word.pointee.load(ordering: .relaxed) == 0
                    model.expect(word.pointee.load(ordering: .relaxed) == 1, "gone on without being told")
                }
                model.thread("setter") {
                    word.pointee.store(1, ordering: .relaxed)
                    ModelFutex.wake(word)
                }
            }
        }
        try expectFound("gone on without being told", "wait", priorities: false, model(false))
        // The futex's comparison is a step of the kernel's and teaches the thread nothing of the word.
        let report = Exploration(.depthFirst(preemptions: 3, staleReads: 0)).run("wait", model(true))
        #expect(report.failure == nil && report.isExhausted, "\(report)")
    }

    @Test func `a deadline passes early, late or not at all`() {
        let report = Exploration(.depthFirst(preemptions: nil, staleReads: nil)).run("deadline") { model in
            let word = model.allocate(Atomic<UInt32>.self)
            model.thread("waiter") {
                let deadline = ModelClock.nanoseconds() + 500
                let outcome = ModelFutex.wait(on: word, while: 0, untilNanoseconds: deadline)
                if outcome == .timedOut {
                    model.expect(ModelClock.nanoseconds() == deadline, "time stands at the deadline")
                }
                model.outcome("\(outcome)")
            }
            model.thread("setter") {
                word.pointee.store(1, ordering: .relaxed)
                ModelFutex.wake(word)
            }
        }
        #expect(report.failure == nil && report.isExhausted, "\(report)")
        #expect(Set(report.outcomes.keys) == ["woken", "timedOut", "valueDiffers"])
    }

    // MARK: Locks

    private func locks(inOrder: Bool) -> (Model) -> Void {
        { model in
            let space = model.allocate(UInt64.self, count: 2)
            let (first, second) = (UnsafeRawPointer(space), UnsafeRawPointer(space + 1))
            model.name(first, "first")
            model.name(second, "second")
            for (name, swapped) in [("one", false), ("two", !inOrder)] {
                model.thread(name) {
                    let (outer, inner) = swapped ? (second, first) : (first, second)
                    ModelLock.lock(at: outer)
                    ModelLock.lock(at: inner)
                    ModelLock.unlock(at: inner)
                    ModelLock.unlock(at: outer)
                }
            }
        }
    }

    @Test func `two locks taken in two orders deadlock`() throws {
        try expectFound(
            "deadlock or lost wake-up: one waits for lock second", "locks", locks(inOrder: false))
    }

    @Test func `two locks taken in one order do not`() { expectExhausted("locks", locks(inOrder: true)) }

    @Test func `a thread must not end with a lock held`() throws {
        try expectFound("one ended with a lock held", "held") { model in
            let lock = model.allocate(UInt64.self)
            model.thread("one") { ModelLock.lock(at: lock) }
        }
    }

    @Test func `a lock orders plain data`() throws {
        func model(_ locked: Bool) -> (Model) -> Void {
            { model in
                let data = model.allocate(Int.self)
                let lock = model.allocate(UInt64.self)
                model.name(data, "data")
                for name in ["one", "two"] {
                    model.thread(name) {
                        if locked { ModelLock.lock(at: lock) }
                        ModelMemory.read(at: data, byteCount: 8)
                        data.pointee += 1
                        ModelMemory.written(at: data, byteCount: 8)
                        if locked { ModelLock.unlock(at: lock) }
                    }
                }
            }
        }
        expectExhausted("data", model(true))
        try expectFound("data race", "data", model(false))
    }

    // MARK: Orderings

    private func message(_ storing: AtomicStoreOrdering, _ loading: AtomicLoadOrdering) -> (Model) -> Void {
        { model in
            let data = model.allocate(Int.self)
            let isReady = model.allocate(Atomic<Bool>.self)
            model.name(data, "data")
            model.thread("writer") {
                data.pointee = 42
                ModelMemory.written(at: data, byteCount: 8)
                isReady.pointee.store(true, ordering: storing)
            }
            model.thread("reader") {
                if isReady.pointee.load(ordering: loading) {
                    ModelMemory.read(at: data, byteCount: 8)
                    model.expect(data.pointee == 42, "the data are there")
                }
            }
        }
    }

    @Test func `a missing release is a race`() throws {
        try expectFound("data race", "message", message(.relaxed, .acquiring))
    }

    @Test func `a missing acquire is a race`() throws {
        try expectFound("data race", "message", message(.releasing, .relaxed))
    }

    @Test func `release and acquire pass a message`() { expectExhausted("message", message(.releasing, .acquiring)) }

    private func exclusion(_ order: AtomicUpdateOrdering) -> (Model) -> Void {
        { model in
            let flags = model.allocate(Atomic<Bool>.self, count: 2)
            let inside = model.allocate(Atomic<Int>.self)
            for index in 0..<2 {
                model.thread("thread \(index)") {
                    flags[index].store(true, ordering: .relaxed)
                    atomicMemoryFence(ordering: order)
                    if !flags[1 - index].load(ordering: .relaxed) { inside.pointee.wrappingAdd(1, ordering: .relaxed) }
                }
            }
            model.invariant("one at most is inside") { inside.pointee.load(ordering: .relaxed) <= 1 }
        }
    }

    @Test func `Dekker's flags need a sequentially consistent fence`() throws {
        try expectFound("invariant one at most is inside", "flags", exclusion(.acquiringAndReleasing))
        expectExhausted("flags", exclusion(.sequentiallyConsistent))
    }

    // MARK: Reuse

    /// A stack of three nodes, `pop` by compare-exchange of the head alone, or of the head with a count above it.
    private func stack(counted: Bool) -> (Model) -> Void {
        { model in
            let head = model.allocate(Atomic<UInt64>.self)
            let next = model.allocate(Atomic<UInt64>.self, count: 4)
            let owners = model.allocate(Atomic<Int>.self, count: 4)
            head.pointee.store(1, ordering: .relaxed)
            next[1].store(2, ordering: .relaxed)
            next[2].store(3, ordering: .relaxed)
            func pop() -> Int {
                while true {
                    let old = head.pointee.load(ordering: .sequentiallyConsistent)
                    let node = Int(old & 0xFF)
                    if node == 0 { return 0 }
                    let following = next[node].load(ordering: .sequentiallyConsistent)
                    let count = counted ? (old >> 8 + 1) << 8 : 0
                    if head.pointee.compareExchange(
                        expected: old, desired: following | count, ordering: .sequentiallyConsistent).exchanged
                    {
                        let before = owners[node].wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
                        model.expect(before == 0, "node \(node) was given out twice")
                        return node
                    }
                }
            }
            func push(_ node: Int) {
                owners[node].wrappingSubtract(1, ordering: .sequentiallyConsistent)
                while true {
                    let old = head.pointee.load(ordering: .sequentiallyConsistent)
                    next[node].store(old & 0xFF, ordering: .sequentiallyConsistent)
                    let count = counted ? (old >> 8 + 1) << 8 : 0
                    if head.pointee.compareExchange(
                        expected: old, desired: UInt64(node) | count, ordering: .sequentiallyConsistent).exchanged
                    {
                        return
                    }
                }
            }
            model.thread("one") {
                _ = pop()
                _ = pop()
            }
            model.thread("two") {
                let first = pop()
                let second = pop()
                if first != 0 { push(first) }
                _ = second
            }
        }
    }

    @Test func `a stack without a count suffers from ABA`() throws {
        try expectFound("was given out twice", "stack", sleepSets: false, priorities: false, stack(counted: false))
    }

    @Test func `a stack with a count does not`() {
        expectExhausted("stack", sleepSets: false, stack(counted: true))
    }

    @Test func `use after free is found`() throws {
        func model(_ waits: Bool) -> (Model) -> Void {
            { model in
                let node = model.allocate(Int.self)
                let isUsed = model.allocate(Atomic<Bool>.self)
                model.name(node, "node")
                model.thread("reader") {
                    ModelMemory.read(at: node, byteCount: 8)
                    isUsed.pointee.store(true, ordering: .releasing)
                }
                model.thread("freer") {
                    if waits {
                        while !isUsed.pointee.load(ordering: .acquiring) { ModelThread.spinHint() }
                    }
                    ModelMemory.freed(at: node, byteCount: 8)
                }
            }
        }
        try expectFound("node", "free", model(false))
        expectExhausted("free", sleepSets: false, model(true))
    }

    // MARK: Spinning

    @Test func `spinning for what nobody does is found`() throws {
        try expectFound("spinning without end: one spins", "spin") { model in
            let flag = model.allocate(Atomic<Bool>.self)
            model.thread("one") { while !flag.pointee.load(ordering: .acquiring) { ModelThread.spinHint() } }
            model.thread("two") { flag.pointee.store(false, ordering: .releasing) }
        }
    }

    @Test func `two threads that give way to each other for ever are found`() throws {
        let report = Self.bounded.run("livelock") { model in
            model.stepLimit = 500
            let wants = model.allocate(Atomic<Bool>.self, count: 2)
            for index in 0..<2 {
                model.thread("thread \(index)") {
                    while true {
                        wants[index].store(true, ordering: .sequentiallyConsistent)
                        if !wants[1 - index].load(ordering: .sequentiallyConsistent) { break }
                        wants[index].store(false, ordering: .sequentiallyConsistent)
                        ModelThread.spinHint()
                    }
                    // Never let go: the other gives way for ever.
                }
            }
        }
        let failure = try #require(report.failure)
        #expect(failure.message.contains("does not end") || failure.message.contains("spinning without end"))
    }

    @Test func `spinning for what another does ends`() {
        expectExhausted("spin") { model in
            let flag = model.allocate(Atomic<Bool>.self)
            model.thread("one") { while !flag.pointee.load(ordering: .acquiring) { ModelThread.spinHint() } }
            model.thread("two") { flag.pointee.store(true, ordering: .releasing) }
        }
    }
}
