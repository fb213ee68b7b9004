import CStillpoint
import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointThreads

/// A process of many threads forks while they hold locks, sleep in the parking lot, wait for grace periods and stop
/// the world: from a thread without a state, from an attached one, and inside a pause. The child has that thread
/// alone; it must be able to use the locks once it has reset them, to pass a grace period, and, from a pause, see
/// memory as the pause left it.
enum ForkScenario: Scenario {
    static let name = "fork"
    static let summary = "forks of a process whose other threads hold locks, sleep and stop; what the child can do"
    static let smoke = SmokeBudget(operations: 600)

    struct State: ~Copyable {
        let mutex = ParkingMutex()
        let recursive = RecursiveMutex()
        let lock = ReaderWriterLock()
    }

    struct Pair {
        var first = 0
        var second = 0
    }

    struct World: @unchecked Sendable {
        let runtime: StressRuntime
        let state: UnsafeMutablePointer<State>
        /// A worker's each, changed while attached.
        let pairs: [Shared<Pair>]
        /// The arguments of /bin/true, and a null pointer: made before any fork.
        let goodEnd: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    }

    /// What went wrong in the child: its exit status. A child in which all went well becomes another program: no tool
    /// looks for leaks in it then, which would take for one whatever the threads had that the child lost.
    enum ChildFailure: CInt {
        case lot = 10, mutex, recursive, lock, gracePeriod, current, pair, thread, exec
    }

    static func run(_ context: StressContext) throws {
        let state = Shared(State())
        let pairs = (0..<context.threadCount).map { _ in Shared(Pair()) }
        let goodEnd = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 2)
        goodEnd.initialize(repeating: nil, count: 2)
        goodEnd[0] = strdup("/bin/true")
        let world = World(
            runtime: try StressRuntime(context, interpreterCount: 1), state: state.pointer, pairs: pairs,
            goodEnd: goodEnd)
        // One more forks without a thread state.
        try context.runWorkers(context.threadCount + 1) { worker in
            if worker.index == context.threadCount {
                while worker.isRunning {
                    try fork(world, from: nil, &worker)
                    SystemThread.sleep(untilNanoseconds: worker.deadline(within: 5_000_000))
                }
                return
            }
            try world.runtime.interpreters[0].withThread { thread in
                while worker.isRunning {
                    work(world, &worker)
                    try thread.rest(&worker)
                    if worker.random.oneIn(2_000) { try fork(world, from: thread, &worker) }
                    if worker.random.oneIn(2_000) { try forkInPause(world, from: thread, &worker) }
                    if worker.random.oneIn(500) { try putOffFree(thread) }
                }
            }
        }
        for pair in pairs { pair.destroy() }
        world.runtime.end()
        free(goodEnd[0])
        goodEnd.deallocate()
        state.destroy()
    }

    /// What the parent's threads are at when another forks. No lock is held over a safepoint.
    private static func work(_ world: World, _ worker: inout Worker) {
        let pair = world.pairs[worker.index].pointer
        pair.pointee.first += 1
        switch worker.random.below(4) {
        case 0: world.state.pointee.mutex.withLock { worker.chaos() }
        case 1: world.state.pointee.recursive.withLock { worker.chaos() }
        case 2:
            world.state.pointee.lock.lockForReading()
            worker.chaos()
            world.state.pointee.lock.unlockForReading()
        default:
            world.state.pointee.lock.lockForWriting()
            world.state.pointee.lock.unlockForWriting()
        }
        pair.pointee.second += 1
    }

    /// Keeps grace periods coming.
    private static func putOffFree(_ thread: ThreadPointer) throws {
        try thread.deferFree(of: .allocate(byteCount: 64, alignment: 16), byteCount: 64) { block, _ in
            block.deallocate()
        }
    }

    // MARK: Forking

    private static func fork(_ world: World, from thread: ThreadPointer?, _ worker: inout Worker) throws {
        try expectGoodChild(&worker, sp_fork()) { childOf(thread, world) }
    }

    private static func forkInPause(_ world: World, from thread: ThreadPointer, _ worker: inout Worker) throws {
        let child = try StopTheWorld.with(world.runtime.world, scope: nil) {
            let child = sp_fork()
            // The child cannot let the world go: a thread that it does not have may hold the lock that this takes.
            if child == 0 { lookAround(world) }
            return child
        }
        worker.countStop()
        try expectGoodChild(&worker, child) { leaveWell(world) }
    }

    private static func expectGoodChild(
        _ worker: inout Worker, _ child: CInt, _ live: () -> Never
    ) throws {
        if child == 0 {
            alarm(30)
            live()
        }
        worker.context.check(child > 0, "fork failed: \(errno)")
        let status = status(of: child, worker.context)
        let failure = ChildFailure(rawValue: status >> 8 & 0xff).map { " (\($0))" } ?? ""
        worker.context.check(
            status == 0, "the child ended with status \(status >> 8)\(failure), signal \(status & 127)")
        worker.countOperation()
    }

    /// Waits for the child's end; one that hangs, be it in the fork itself, is ended and is a finding.
    private static func status(of child: CInt, _ context: StressContext) -> CInt {
        let deadline = MonotonicClock.nanoseconds() + 40_000_000_000
        var status: CInt = 0
        while waitpid(child, &status, WNOHANG) != child {
            if MonotonicClock.nanoseconds() > deadline {
                kill(child, SIGKILL)
                context.fail("the child hangs")
            }
            SystemThread.sleep(untilNanoseconds: MonotonicClock.nanoseconds() + 200_000)
        }
        return status
    }

    // MARK: The child

    private static func lookAround(_ world: World) -> Never {
        alarm(30)
        for pair in world.pairs where pair.pointer.pointee.first != pair.pointer.pointee.second { leave(.pair) }
        leaveWell(world)
    }

    private static func leaveWell(_ world: World) -> Never {
        execv(world.goodEnd[0]!, world.goodEnd)
        _exit(ChildFailure.exec.rawValue)
    }

    private static func leave(_ failure: ChildFailure) -> Never { _exit(failure.rawValue) }

    /// Makes no Swift object: another thread may have held a lock of the Swift runtime's when the process forked.
    private static func childOf(_ thread: ThreadPointer?, _ world: World) -> Never {
        let state = world.state
        if let thread {
            if Attachment.current != thread { leave(.current) }
            Attachment.detach(thread)
        }
        state.pointee.mutex.resetAfterForkInChild()
        state.pointee.mutex.lock()
        if state.pointee.mutex.lock(untilNanoseconds: MonotonicClock.nanoseconds() + 100_000) { leave(.mutex) }
        state.pointee.mutex.unlock()
        state.pointee.recursive.resetAfterForkInChild()
        if !state.pointee.recursive.tryLock() { leave(.recursive) }
        state.pointee.recursive.unlock()
        state.pointee.lock.resetAfterForkInChild()
        if !state.pointee.lock.tryLockForWriting() { leave(.lock) }
        state.pointee.lock.unlockForWriting()
        let outcome = ParkingLot.park(
            at: state, untilNanoseconds: MonotonicClock.nanoseconds() + 100_000, validate: { true })
        if outcome != .timedOut { leave(.lot) }
        let goal = Reclamation.nextGoal()
        Reclamation.waitFor(goal: goal)
        if !Reclamation.hasPassed(goal) { leave(.gracePeriod) }
        // ThreadSanitizer does not bear with threads that the child makes.
        if sp_has_thread_sanitizer() == 0 { passGracePeriodWithNewThread() }
        leaveWell(world)
    }

    /// A new thread's stack may lie over the records of threads that the child does not have.
    private static func passGracePeriodWithNewThread() {
        guard let other = try? SystemThread.start(name: "", argument: nil, body: { _ in
            _ = sp_rcu_register()
            sp_rcu_online()
            sp_rcu_quiescent_state()
            sp_rcu_offline()
        }) else { leave(.thread) }
        Reclamation.synchronize()
        other.join()
        Reclamation.synchronize()
    }
}
