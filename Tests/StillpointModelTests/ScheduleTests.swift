import StillpointModel
import Testing

/// What the scheduler explores, counted against what there is.
@Suite struct ScheduleTests {
    static let everything = ExplorationStrategy.depthFirst(preemptions: nil, staleReads: 0)

    /// `counts[i]` operations in thread i, each on a location of its own.
    private func independent(_ counts: [Int], _ strategy: ExplorationStrategy) -> ExplorationReport {
        Exploration(strategy).run("independent") { model in
            for (index, count) in counts.enumerated() {
                let word = model.allocate(Atomic<UInt64>.self)
                model.thread("thread \(index)") {
                    for _ in 0..<count { word.pointee.wrappingAdd(1, ordering: .relaxed) }
                }
            }
        }
    }

    @Test(arguments: [
        ([1, 1], 2), ([2, 2], 6), ([3, 3], 20), ([5, 4], 126), ([1, 1, 1], 6), ([2, 2, 2], 90), ([2, 1, 3], 60),
    ])
    func `plain depth first makes every interleaving once`(counts: [Int], interleavings: Int) {
        let report = independent(counts, Self.everything)
        #expect(report.runs == interleavings)
        #expect(report.isExhausted)
        #expect(report.failure == nil)
    }

    @Test func `with no preemption the threads run one after the other`() {
        let report = independent([3, 3, 3], .depthFirst(preemptions: 0, staleReads: 0))
        #expect(report.runs == 6)
        #expect(report.isExhausted)
    }

    @Test func `with one preemption there is one run more for each place to leave a thread`() {
        for count in 1...5 {
            let report = independent([count, count], .depthFirst(preemptions: 1, staleReads: 0))
            #expect(report.runs == 2 + 2 * (count - 1))
        }
    }

    @Test func `sleep sets make one run of threads that do not depend on each other`() {
        let report = independent([3, 3, 2], .sleepSets(staleReads: 0))
        #expect(report.runs == 1)
        #expect(report.isExhausted)
    }

    @Test func `the same seed makes the same runs`() {
        for strategy in [
            ExplorationStrategy.random(seed: 7, runs: 300), .priorities(seed: 7, depth: 3, runs: 300),
        ] {
            let (one, other) = (lostUpdate(strategy), lostUpdate(strategy))
            #expect(one.failure?.token == other.failure?.token)
            #expect(one.failure?.run == other.failure?.run)
            #expect(one.failure != nil)
            #expect(one.behaviours == other.behaviours)
        }
    }

    @Test func `a token makes the same run again`() throws {
        for strategy in [
            Self.everything, .random(seed: 3, runs: 300), .priorities(seed: 9, depth: 2, runs: 300),
            .sleepSets(staleReads: 0),
        ] {
            let failure = try #require(lostUpdate(strategy).failure)
            let again = try #require(lostUpdate(.replay(failure.token)).failure)
            #expect(again.schedule == failure.schedule)
            #expect(again.message == failure.message)
            #expect(again.token == failure.token)
        }
    }

    @Test func `a token of another model says that it does not fit`() throws {
        let failure = try #require(lostUpdate(Self.everything).failure)
        let report = independent([1, 1], .replay("yyy" + failure.token))
        #expect(report.failure?.message.contains("does not fit") == true)
    }

    @Test func `a run limit leaves an exploration not exhausted`() {
        var exploration = Exploration(Self.everything)
        exploration.runLimit = 5
        let report = exploration.run("limited") { model in
            let word = model.allocate(Atomic<Int>.self)
            for index in 0..<2 {
                model.thread("\(index)") { for _ in 0..<4 { word.pointee.wrappingAdd(1, ordering: .relaxed) } }
            }
        }
        #expect(report.runs == 5)
        #expect(!report.isExhausted)
    }

    @Test func `a thread whose deadline passes again and again lets the others go on`() {
        let report = Exploration(.priorities(seed: 1, depth: 2, runs: 200)).run("patience") { model in
            let word = model.allocate(Atomic<UInt32>.self)
            model.thread("waiter") {
                while word.pointee.load(ordering: .relaxed) == 0 {
                    _ = ModelFutex.wait(
                        on: UnsafeRawPointer(word), while: 0, untilNanoseconds: ModelClock.nanoseconds() + 1)
                }
            }
            model.thread("other") { word.pointee.store(1, ordering: .relaxed) }
        }
        #expect(report.failure == nil, "\(report)")
    }

    @Test func `state made in the set-up is fresh in every run`() {
        let report = Exploration(Self.everything).run("fresh") { model in
            let count = Atomic<Int>(0)
            model.thread("one") { count.wrappingAdd(1, ordering: .relaxed) }
            model.thread("two") { count.wrappingAdd(1, ordering: .relaxed) }
            model.finally { model.expect(count.load(ordering: .relaxed) == 2, "two were added") }
        }
        #expect(report.runs == 2)
        #expect(report.failure == nil, "\(report)")
    }

    /// A counter by load and store: finds the lost update.
    private func lostUpdate(_ strategy: ExplorationStrategy) -> ExplorationReport {
        Exploration(strategy).run("counter") { model in
            let count = model.allocate(Atomic<Int>.self)
            model.name(UnsafeRawPointer(count), "count")
            for name in ["one", "two", "three"] {
                model.thread(name) {
                    let old = count.pointee.load(ordering: .relaxed)
                    count.pointee.store(old + 1, ordering: .relaxed)
                }
            }
            model.finally { model.expect(count.pointee.load(ordering: .relaxed) == 3, "an update was lost") }
        }
    }

    @Test func `plain accesses of a thread-local variable are no race`() {
        let variable = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        variable.initialize(to: 0)
        defer { variable.deallocate() }
        let report = Exploration(Self.everything).run("thread-local variable") { model in
            ModelThread.saveThreadLocal(at: variable, byteCount: MemoryLayout<Int>.size)
            let word = model.allocate(Atomic<UInt64>.self)
            for index in 1...2 {
                model.thread("thread \(index)") {
                    ModelMemory.written(at: variable, byteCount: MemoryLayout<Int>.size)
                    variable.pointee = index
                    word.pointee.wrappingAdd(1, ordering: .relaxed)
                    ModelMemory.read(at: variable, byteCount: MemoryLayout<Int>.size)
                    model.expect(variable.pointee == index, "another thread's value")
                }
            }
        }
        #expect(report.failure == nil)
        #expect(report.isExhausted)
    }
}
