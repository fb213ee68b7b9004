import StillpointPlatform
import StillpointSynchronization
import Synchronization

/// Writers change three fields by one rule; readers, who write nothing, never see fields of two writers.
enum SequenceLockScenario: Scenario {
    static let name = "sequence-lock"
    static let summary = "readers that write nothing see whole payloads only"
    static let smoke = SmokeBudget(operations: 10_000_000)

    struct State: ~Copyable {
        let lock = SequenceLock()
        let first = Atomic<Int>(0)
        let second = Atomic<Int>(0)
        let third = Atomic<Int>(0)
    }

    static func run(_ context: StressContext) throws {
        let state = Shared(State())
        try context.runWorkers { worker in
            while worker.isRunning {
                if worker.random.oneIn(worker.context.isTorture ? 4 : 16) {
                    write(state.pointer, &worker)
                } else {
                    read(state.pointer, &worker)
                }
                worker.countOperation()
            }
        }
        state.destroy()
    }

    private static func write(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        state.pointee.lock.beginWrite()
        if worker.random.oneIn(8) {
            state.pointee.lock.abandonWrite()
            return
        }
        // relaxed: between writers the lock orders. releasing: what the lock asks of its payload, [field].
        let next = state.pointee.first.load(ordering: .relaxed) &+ 1
        state.pointee.first.store(next, ordering: .releasing)
        worker.chaos()
        state.pointee.second.store(next &* 3, ordering: .releasing)
        state.pointee.third.store(next ^ 0x5555, ordering: .releasing)
        state.pointee.lock.endWrite()
    }

    private static func read(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        let (first, second, third) = state.pointee.lock.read {
            let first = state.pointee.first.load(ordering: .acquiring)
            worker.chaos()
            let second = state.pointee.second.load(ordering: .acquiring)
            return (first, second, state.pointee.third.load(ordering: .acquiring))
        }
        let isAtStart = first == 0 && second == 0 && third == 0
        worker.context.check(
            isAtStart || (second == first &* 3 && third == first ^ 0x5555),
            "a payload of two writers: \(first), \(second), \(third)")
    }
}
