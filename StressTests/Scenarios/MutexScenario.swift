import StillpointPlatform
import StillpointSynchronization
import Synchronization

/// The one-byte mutex and the two bits in a word that has other bits, in every way to take and to release them. What they
/// guard is plain memory, so that the sanitizer sees a lock that does not order.
enum MutexScenario: Scenario {
    static let name = "mutex"
    static let summary = "one-byte mutex and lock bits: exclusion, hand-off, timeouts, foreign bits kept"
    static let smoke = SmokeBudget(operations: 1_500_000)

    struct State: ~Copyable {
        let mutex = ParkingMutex()
        /// Bits 24 and 25 are the lock, bits 0 to 7 count without it, as an object header's do.
        let word = Atomic<UInt32>(0)
        /// guarded by mutex
        let underMutex = Shared(Pair())
        /// guarded by the bits in word
        let underBits = Shared(Pair())
    }

    /// Two numbers that are equal whenever no writer is between them.
    struct Pair {
        var first = 0
        var second = 0
    }

    static let shift: UInt32 = 24

    static func run(_ context: StressContext) throws {
        let state = Shared(State())
        try context.runWorkers { worker in
            while worker.isRunning {
                if worker.random.oneIn(2) {
                    useMutex(state.pointer, &worker)
                } else {
                    useBits(state.pointer, &worker)
                }
                worker.chaos()
            }
        }
        let shared = [state.pointer.pointee.underMutex, state.pointer.pointee.underBits]
        let pairs = shared.map(\.pointer.pointee)
        context.check(
            pairs[0].first + pairs[1].first == context.operationCount,
            "\(context.operationCount) additions, but the sums are \(pairs)")
        context.check(state.pointer.pointee.mutex.rawByte == 0, "the mutex is not free at the end")
        context.check(
            state.pointer.pointee.word.load(ordering: .relaxed) >> shift == 0,
            "the lock bits are not free at the end")
        for pair in shared { pair.destroy() }
        state.destroy()
    }

    private static func useMutex(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        switch worker.random.below(8) {
        case 0:
            guard state.pointee.mutex.tryLock() else { return }
        case 1:
            let deadline = worker.deadline(within: 200_000)
            guard state.pointee.mutex.lock(untilNanoseconds: deadline) else { return }
        default:
            state.pointee.mutex.lock()
        }
        worker.context.check(state.pointee.mutex.isLocked, "held, but not locked")
        add(to: state.pointee.underMutex.pointer, &worker)
        if worker.random.oneIn(8) {
            state.pointee.mutex.unlockFairly()
        } else {
            state.pointee.mutex.unlock()
        }
    }

    private static func useBits(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) {
        withUnsafePointer(to: state.pointee.word) { word in
            if worker.random.oneIn(8) {
                guard LockBits.tryLock(word, shift: shift) else { return }
            } else {
                _ = LockBits.lock(word, shift: shift)
            }
            // Another field of the same word, changed without the lock: it must survive the lock's changes.
            let before = word.pointee.wrappingAdd(1, ordering: .relaxed).oldValue & 0xff
            worker.context.check(before < 0xff, "the count beside the lock ran over: \(before)")
            add(to: state.pointee.underBits.pointer, &worker)
            word.pointee.wrappingSubtract(1, ordering: .relaxed)
            if worker.random.oneIn(8) {
                LockBits.unlockFairly(word, shift: shift)
            } else {
                LockBits.unlock(word, shift: shift)
            }
        }
    }

    private static func add(to pair: UnsafeMutablePointer<Pair>, _ worker: inout Worker) {
        worker.context.check(
            pair.pointee.first == pair.pointee.second, "two threads hold the lock: \(pair.pointee)")
        pair.pointee.first += 1
        worker.chaos()
        pair.pointee.second += 1
        worker.countOperation()
    }
}
