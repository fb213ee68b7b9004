import StillpointModel
import Testing

/// What stands for the system: grace periods, threads, time, thread-local variables, and what ends a run.
@Suite struct SpecificationTests {
    private func explore(
        by strategies: [ExplorationStrategy] = [
            .depthFirst(preemptions: 3, staleReads: 3), .sleepSets(staleReads: nil),
        ],
        _ setUp: @escaping (Model) -> Void
    ) -> [ExplorationReport] {
        strategies.map { Exploration($0).run("specification", setUp) }
    }

    // MARK: Grace periods

    /// A writer unlinks a node and frees it after a grace period; a reader reads it while online.
    private func reclamation(waits: Bool, readerIsQuietWhileReading: Bool) -> (Model) -> Void {
        { model in
            let isLinked = model.allocate(Atomic<Bool>.self)
            let node = model.allocate(Int.self)
            isLinked.pointee.store(true, ordering: .relaxed)
            model.name(node, "node")
            model.thread("reader") {
                ModelGracePeriod.register()
                ModelGracePeriod.online()
                for _ in 0..<2 {
                    if isLinked.pointee.load(ordering: .relaxed) {
                        if readerIsQuietWhileReading { ModelGracePeriod.quiescentState() }
                        ModelMemory.read(at: node, byteCount: 8)
                    }
                    ModelGracePeriod.quiescentState()
                }
                ModelGracePeriod.offline()
            }
            model.thread("writer") {
                isLinked.pointee.store(false, ordering: .relaxed)
                if waits { ModelGracePeriod.synchronize() }
                ModelMemory.freed(at: node, byteCount: 8)
            }
        }
    }

    @Test func `a grace period orders readers before the free, and the unlinking before later readers`() {
        for report in explore(reclamation(waits: true, readerIsQuietWhileReading: false)) {
            #expect(report.failure == nil && report.isExhausted, "\(report)")
        }
    }

    @Test func `without a grace period the free is too early`() throws {
        for report in explore(reclamation(waits: false, readerIsQuietWhileReading: false)) {
            #expect(report.failure?.message.contains("node") == true, "\(report)")
        }
    }

    @Test func `a reader that is quiet while it reads is not waited for`() {
        for report in explore(reclamation(waits: true, readerIsQuietWhileReading: true)) {
            #expect(report.failure?.message.contains("node") == true, "\(report)")
        }
    }

    @Test func `a grace period waits for a thread that stays online, for ever if need be`() {
        for report in explore({ model in
            let isDone = model.allocate(Atomic<UInt32>.self)
            model.thread("reader") {
                ModelGracePeriod.register()
                ModelGracePeriod.online()
                while isDone.pointee.load(ordering: .acquiring) == 0 { _ = ModelFutex.wait(on: isDone, while: 0) }
                ModelGracePeriod.offline()
            }
            model.thread("writer") {
                ModelGracePeriod.synchronize()
                isDone.pointee.store(1, ordering: .releasing)
                ModelFutex.wake(isDone)
            }
        }) {
            #expect(report.failure?.message.contains("writer waits for a grace period") == true, "\(report)")
        }
    }

    @Test func `misuse of grace periods is found`() {
        let misuses: [(String, () -> Void)] = [
            ("is no reader", { ModelGracePeriod.online() }),
            ("ended online", { ModelGracePeriod.register(); ModelGracePeriod.online() }),
            (
                "while online",
                { ModelGracePeriod.register(); ModelGracePeriod.online(); ModelGracePeriod.synchronize() }
            ),
        ]
        for (text, body) in misuses {
            for report in explore({ $0.thread("thread", body) }) {
                #expect(report.failure?.message.contains(text) == true, "\(report)")
            }
        }
    }

    // MARK: Threads

    @Test func `a start and a join order plain data`() {
        func model(_ joins: Bool) -> (Model) -> Void {
            { model in
                let data = model.allocate(Int.self)
                model.name(data, "data")
                model.thread("parent") {
                    ModelMemory.written(at: data, byteCount: 8)
                    let child = ModelThread.start(name: "child") { ModelMemory.written(at: data, byteCount: 8) }
                    if joins { child.join() }
                    ModelMemory.read(at: data, byteCount: 8)
                    if !joins { child.join() }
                }
            }
        }
        for report in explore(model(true)) { #expect(report.failure == nil && report.isExhausted, "\(report)") }
        for report in explore(model(false)) {
            #expect(report.failure?.message.contains("data race") == true, "\(report)")
        }
    }

    @Test func `threads that wait for each other's end deadlock`() {
        for report in explore({ model in
            let handles = UnsafeMutablePointer<ModelThread?>.allocate(capacity: 2)
            handles.initialize(repeating: nil, count: 2)
            handles[0] = model.thread("one") { handles[1]!.join() }
            handles[1] = model.thread("two") { handles[0]!.join() }
            model.finally { handles.deallocate() }
        }) {
            #expect(report.failure?.message.contains("one waits for the end of two") == true, "\(report)")
        }
    }

    @Test func `a thread knows which it is, and has its own thread-local variables`() {
        let variable = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        variable.initialize(to: 5)
        defer { variable.deallocate() }
        for report in explore({ model in
            ModelThread.saveThreadLocal(at: variable, byteCount: 8)
            let word = model.allocate(Atomic<Int>.self)
            for index in 0..<2 {
                model.thread("thread \(index)") {
                    model.expect(ModelThread.currentIndex == index, "its index")
                    model.expect(variable.pointee == 5, "the first value")
                    variable.pointee = index
                    word.pointee.wrappingAdd(1, ordering: .relaxed)
                    model.expect(variable.pointee == index, "its own value")
                }
            }
            model.finally { model.expect(ModelThread.currentIndex == nil && variable.pointee == 5, "as before") }
        }) {
            #expect(report.failure == nil && report.isExhausted, "\(report)")
        }
        #expect(!ModelThread.isInside && variable.pointee == 5)
    }

    // MARK: Time

    @Test func `a reading of the clock may jump, and never goes back`() {
        for report in explore({ model in
            model.clockJumpNanoseconds = 1_000_000
            let seen = model.allocate(Atomic<UInt64>.self)
            for name in ["one", "two"] {
                model.thread(name) {
                    let before = seen.pointee.load(ordering: .sequentiallyConsistent)
                    let now = ModelClock.nanoseconds()
                    model.expect(now >= before, "back in time")
                    seen.pointee.max(now, ordering: .sequentiallyConsistent)
                }
            }
            model.finally { model.outcome("\((ModelClock.nanoseconds() - 1_000_000_000) / 1_000_000)") }
        }) {
            #expect(report.failure == nil && report.isExhausted, "\(report)")
            #expect(Set(report.outcomes.keys) == ["0", "1", "2"])
        }
    }

    @Test func `whoever sleeps for a time wakes when it has passed`() {
        for report in explore({ model in
            let word = model.allocate(Atomic<Int>.self)
            model.thread("sleeper") {
                let start = ModelClock.nanoseconds()
                ModelClock.sleep(untilNanoseconds: start + 10)
                model.expect(ModelClock.nanoseconds() >= start + 10, "woken early")
                model.outcome("\(word.pointee.load(ordering: .relaxed))")
            }
            model.thread("other") { word.pointee.store(1, ordering: .relaxed) }
        }) {
            #expect(report.failure == nil && report.isExhausted, "\(report)")
            #expect(Set(report.outcomes.keys) == ["0", "1"])
        }
    }

    // MARK: The end of a run

    @Test func `what would end the process ends the run`() {
        for report in explore({ model in
            let word = model.allocate(Atomic<Int>.self)
            model.thread("one") { word.pointee.store(1, ordering: .relaxed) }
            model.thread("two") {
                if word.pointee.load(ordering: .relaxed) == 1 { modelFailure("the process would end") }
            }
        }) {
            #expect(report.failure?.message == "the process would end")
            #expect(report.failure?.schedule.count == 2)
        }
    }

    @Test(.disabled(if: isSanitized, "a sanitizer keeps the signals of traps for itself"))
    func `a trap ends the run with its schedule`() {
        for report in explore({ model in
            let word = model.allocate(Atomic<Int>.self)
            model.thread("one") { word.pointee.store(1, ordering: .relaxed) }
            model.thread("two") { precondition(word.pointee.load(ordering: .relaxed) == 0, "expected by this test") }
        }) {
            #expect(report.failure?.message.hasPrefix("trap") == true, "\(report)")
            #expect(report.failure?.schedule.count == 2)
        }
    }

    @Test(.disabled(if: isSanitized, "a sanitizer keeps the signals of traps for itself"))
    func `a stack that overflows ends the run`() {
        func deep(_ number: Int) -> Int { number == 0 ? 0 : deep(number + 1) &+ number }
        for report in explore({ model in model.thread("one") { model.expect(deep(1) == 0, "it comes back") } }) {
            #expect(report.failure?.message.hasPrefix("trap") == true, "\(report)")
        }
    }

    @Test func `an exploration after a failed one is not touched by it`() {
        for _ in 0..<3 {
            let failed = Exploration(.random(seed: 1, runs: 1)).run("fails") { model in
                model.thread("one") { modelFailure("on purpose") }
            }
            #expect(failed.failure != nil)
            let sound = Exploration(.depthFirst(preemptions: nil, staleReads: nil)).run("sound") { model in
                let word = model.allocate(Atomic<Int>.self)
                for _ in 0..<2 { model.thread("one") { word.pointee.wrappingAdd(1, ordering: .relaxed) } }
            }
            #expect(sound.failure == nil && sound.runs == 2)
        }
    }
}

/// A sanitizer takes traps for its own reports.
private let isSanitized = ExplorationReport.isSanitizedBuild
