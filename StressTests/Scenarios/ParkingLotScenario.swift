import StillpointPlatform
import StillpointSynchronization
import Synchronization

/// A counting semaphore made of the parking lot alone: a credit is either kept in a word or handed to one sleeper as its
/// token. No credit is lost, none is made up, and nobody sleeps beside a credit.
enum ParkingLotScenario: Scenario {
    static let name = "parking-lot"
    static let summary = "park, unpark one and all, tokens, deadlines: every wake is accounted for"
    static let smoke = SmokeBudget(operations: 5_000_000)

    /// Addresses to sleep on: two on one cache line are as good as any.
    struct Slot: ~Copyable {
        /// Changed under the bucket's lock, or by a taker's exchange. Atomic, edge [bucket] of the lot.
        let credits = Atomic<Int>(0)
    }

    struct State: ~Copyable {
        let slots: UnsafeMutablePointer<Slot>
        let given = Atomic<Int>(0)
        let taken = Atomic<Int>(0)
        /// Workers that have not ended.
        let runningCount: Atomic<Int>
        /// Workers that do not sleep without end: one at least stays awake, to give. Atomic, no edge: a number.
        let awakeCount: Atomic<Int>
    }

    static let slotCount = 3

    static func run(_ context: StressContext) throws {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: slotCount)
        for index in 0..<slotCount { (slots + index).initialize(to: Slot()) }
        // One worker more lets the others go at the end.
        let state = Shared(State(
                slots: slots, runningCount: Atomic(context.threadCount),
                awakeCount: Atomic(context.threadCount)))
        try context.runWorkers(context.threadCount + 1) { worker in
            if worker.index == worker.context.threadCount {
                letGo(state.pointer, &worker)
                return
            }
            while worker.isRunning {
                let slot = state.pointer.pointee.slots + worker.random.below(slotCount)
                switch worker.random.below(16) {
                case 0: ParkingLot.unparkAll(at: slot)
                case 1...8: give(to: slot, in: state.pointer)
                default: take(from: slot, in: state.pointer, &worker)
                }
                worker.countOperation()
                worker.chaos()
            }
            state.pointer.pointee.awakeCount.wrappingSubtract(1, ordering: .relaxed)
            state.pointer.pointee.runningCount.wrappingSubtract(1, ordering: .releasing)
        }
        // relaxed, here and below: all threads are joined.
        let left = (0..<slotCount).reduce(0) { $0 + slots[$1].credits.load(ordering: .relaxed) }
        let given = state.pointer.pointee.given.load(ordering: .relaxed)
        let taken = state.pointer.pointee.taken.load(ordering: .relaxed)
        context.check(given == taken + left, "\(given) credits given, \(taken) taken, \(left) left")
        for index in 0..<slotCount {
            context.check(ParkingLot.waiterCount(at: slots + index) == 0, "somebody is parked at the end")
        }
        slots.deinitialize(count: slotCount)
        slots.deallocate()
        state.destroy()
    }

    private static func give(to slot: UnsafeMutablePointer<Slot>, in state: UnsafeMutablePointer<State>) {
        let serial = state.pointee.given.wrappingAdd(1, ordering: .relaxed).newValue
        ParkingLot.unparkOne(at: slot) { info in
            if info.didUnpark { return UInt(serial) }
            slot.pointee.credits.wrappingAdd(1, ordering: .releasing)
            return 0
        }
    }

    private static func take(
        from slot: UnsafeMutablePointer<Slot>, in state: UnsafeMutablePointer<State>, _ worker: inout Worker
    ) {
        let credits = slot.pointee.credits.load(ordering: .relaxed)
        if credits > 0 {
            let took = slot.pointee.credits.compareExchange(
                expected: credits, desired: credits - 1, ordering: .acquiring
            ).exchanged
            if took { state.pointee.taken.wrappingAdd(1, ordering: .relaxed) }
            return
        }
        let hasEnd = worker.random.oneIn(3) || !mayLeaveTheOthers(state)
        let deadline = hasEnd ? worker.deadline(within: 300_000) : nil
        var announcedCount = 0
        let outcome = ParkingLot.park(
            at: slot, untilNanoseconds: deadline,
            validate: { slot.pointee.credits.load(ordering: .relaxed) == 0 },
            beforeSleep: {
                announcedCount += 1
                worker.chaos()
            })
        if !hasEnd { state.pointee.awakeCount.wrappingAdd(1, ordering: .relaxed) }
        let expectedCount = outcome == .notParked ? 0 : 1
        worker.context.check(announcedCount == expectedCount, "beforeSleep ran \(announcedCount) times")
        worker.context.check(outcome != .timedOut || deadline != nil, "timed out without a deadline")
        if case .unparked(let token) = outcome, token != 0 {
            state.pointee.taken.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Counts the caller out of those awake, unless it is the last one.
    private static func mayLeaveTheOthers(_ state: UnsafeMutablePointer<State>) -> Bool {
        var seen = state.pointee.awakeCount.load(ordering: .relaxed)
        while seen > 1 {
            let (done, found) = state.pointee.awakeCount.compareExchange(
                expected: seen, desired: seen - 1, ordering: .relaxed)
            if done { return true }
            seen = found
        }
        return false
    }

    /// After the end, wakes whoever sleeps still, until all are gone. A sleeper that no unpark finds is stuck.
    private static func letGo(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        while worker.isRunning {
            SystemThread.sleep(untilNanoseconds: worker.deadline(within: 10_000_000))
        }
        while state.pointee.runningCount.load(ordering: .acquiring) > 0 {
            for index in 0..<slotCount { ParkingLot.unparkAll(at: state.pointee.slots + index) }
            SystemThread.yield()
        }
    }
}
