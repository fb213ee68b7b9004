import StillpointPlatform
import StillpointSynchronization

/// Workers take the lock to a random depth, in every way, and let go level by level. The plain numbers that it guards
/// are changed at the innermost level and looked at on the way out.
enum RecursiveMutexScenario: Scenario {
    static let name = "recursive-mutex"
    static let summary = "taken again by its holder, to any depth, with tries and deadlines of others"
    static let smoke = SmokeBudget(operations: 1_000_000)

    struct State: ~Copyable {
        let mutex = RecursiveMutex()
        /// guarded by mutex
        let guarded = Shared(Numbers())
    }

    struct Numbers {
        var additions = 0
        var holder = -1
    }

    static let deepest = 5

    static func run(_ context: StressContext) throws {
        let state = Shared(State())
        try context.runWorkers { worker in
            while worker.isRunning {
                if take(state.pointer, &worker) { descend(state.pointer, level: 0, &worker) }
                worker.chaos()
            }
        }
        let guarded = state.pointer.pointee.guarded
        let additions = guarded.pointer.pointee.additions
        context.check(
            additions == context.operationCount, "\(context.operationCount) additions, but the sum is \(additions)")
        context.check(state.pointer.pointee.mutex.ownerIdentity == 0, "the mutex is not free at the end")
        guarded.destroy()
        state.destroy()
    }

    private static func take(_ state: UnsafeMutablePointer<State>, _ worker: inout Worker) -> Bool {
        switch worker.random.below(6) {
        case 0: return state.pointee.mutex.tryLock()
        case 1: return state.pointee.mutex.lock(untilNanoseconds: worker.deadline(within: 200_000))
        default:
            state.pointee.mutex.lock()
            return true
        }
    }

    /// Holds the lock `level + 1` times; lets go once.
    private static func descend(_ state: UnsafeMutablePointer<State>, level: Int, _ worker: inout Worker) {
        let context = worker.context
        let guarded = state.pointee.guarded.pointer
        context.check(state.pointee.mutex.recursionLevel == level, "a wrong number of levels")
        if level == 0 {
            context.check(guarded.pointee.holder == -1, "two threads hold the lock")
            guarded.pointee.holder = worker.index
        }
        if level < deepest, worker.random.oneIn(2) {
            context.check(take(state, &worker), "the holder was refused")
            descend(state, level: level + 1, &worker)
        } else {
            worker.chaos()
            guarded.pointee.additions += 1
            worker.countOperation()
        }
        context.check(guarded.pointee.holder == worker.index, "the lock was let go too early")
        if level == 0 { guarded.pointee.holder = -1 }
        state.pointee.mutex.unlock()
    }
}
