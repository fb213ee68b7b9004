import StillpointPlatform
import StillpointSynchronization
import Synchronization

/// Readers see two plain numbers equal, writers change both; one worker only writes, among readers, and must get through.
enum ReaderWriterLockScenario: Scenario {
    static let name = "reader-writer-lock"
    static let summary = "many readers or one writer over plain memory; no writer starves"
    static let smoke = SmokeBudget(operations: 250_000)

    struct State: ~Copyable {
        let lock = ReaderWriterLock()
        /// guarded by lock
        let pair = Shared(Pair())
        /// How many are inside as readers. Atomic, no edge: a check.
        let readerCount = Atomic<Int>(0)
    }

    struct Pair {
        var first = 0
        var second = 0
    }

    static func run(_ context: StressContext) throws {
        let state = Shared(State())
        let writeCount = Shared(Atomic<Int>(0))
        try context.runWorkers { worker in
            var writes = 0
            while worker.isRunning {
                if worker.index == 0 || worker.random.oneIn(16) {
                    writes += write(state.pointer, &worker)
                } else {
                    read(state.pointer, &worker)
                }
                worker.chaos()
            }
            writeCount.pointer.pointee.wrappingAdd(writes, ordering: .relaxed)
        }
        // relaxed: all threads are joined.
        let writes = writeCount.pointer.pointee.load(ordering: .relaxed)
        let pair = state.pointer.pointee.pair
        context.check(pair.pointer.pointee.first == writes, "\(writes) writes, but some are lost")
        context.check(state.pointer.pointee.lock.rawWord == 0, "the lock is not free at the end")
        writeCount.destroy()
        pair.destroy()
        state.destroy()
    }

    /// Returns how often it wrote: the writer that must get through never only tries.
    private static func write(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) -> Int {
        if worker.index != 0, worker.random.oneIn(4) {
            guard state.pointee.lock.tryLockForWriting() else { return 0 }
        } else {
            state.pointee.lock.lockForWriting()
        }
        worker.context.check(
            state.pointee.readerCount.load(ordering: .relaxed) == 0, "a writer among readers")
        state.pointee.pair.pointer.pointee.first += 1
        worker.chaos()
        state.pointee.pair.pointer.pointee.second += 1
        worker.countOperation()
        state.pointee.lock.unlockForWriting()
        return 1
    }

    private static func read(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        if worker.random.oneIn(4) {
            guard state.pointee.lock.tryLockForReading() else { return }
        } else {
            state.pointee.lock.lockForReading()
        }
        state.pointee.readerCount.wrappingAdd(1, ordering: .relaxed)
        let first = state.pointee.pair.pointer.pointee.first
        worker.chaos()
        worker.context.check(first == state.pointee.pair.pointer.pointee.second, "a reader saw half a write")
        worker.countOperation()
        state.pointee.readerCount.wrappingSubtract(1, ordering: .relaxed)
        state.pointee.lock.unlockForReading()
    }
}
