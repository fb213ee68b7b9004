// One run of a model, made again and again: set-up, two to eight threads that take turns at every operation, final
// checks. All of it on one OS thread, each thread of the run on a stack of its own.
//
// A thread announces its next operation, and the scheduler chooses who performs its own. Between two operations a
// thread runs undisturbed: what others could see of that are plain accesses, and those are checked for races.
//
//                announces                    is chosen
//   eager ------------------------> ready <-------------> performs its operation
//     ^                                                        |
//     |   another thread wakes it, a deadline passes           |  must wait
//     +-------------------------------------- asleep, spinning +
//                                                              |
//                                                   ended <----+
//
// S1  One fibre runs; the others stand inside `switchTo`.
// S2  `running` performed the last step; to choose another while it could go on is a preemption.
// S3  Whatever is not determined by the model goes through `chooseThread` or `chooseValue`, and is in `choices`.

internal import CStillpointModel

@usableFromInline
final class Execution {
    static let maximumThreadCount = Clock.scalarCount
    /// The slot of set-up and final checks.
    static let controlIndex = maximumThreadCount

    let explorer: Explorer
    let slots: UnsafeMutablePointer<ThreadSlot>
    let trace: UnsafeMutablePointer<Step>
    let alternatives: UnsafeMutablePointer<Alternative>
    let stacks: FibreStacks
    let arena: Arena
    let model = Model()
    let setUp: (Model) -> Void
    let memory = MemoryModel()
    let mutant: Mutant?
    let sites: SiteList?
    /// There is a mutant, or a list of places.
    let watchesSites: Bool

    // Of the run
    @exclusivity(unchecked) var threadCount = 0
    @exclusivity(unchecked) var bodies: [() -> Void] = []
    /// The slot whose fibre runs.
    @exclusivity(unchecked) var current = controlIndex
    @exclusivity(unchecked) var running = 0
    @exclusivity(unchecked) var stepCount = 0
    @exclusivity(unchecked) var traceCount = 0
    @exclusivity(unchecked) var clock: UInt64 = 0
    @exclusivity(unchecked) var changes: UInt64 = 0
    @exclusivity(unchecked) var sequence: UInt64 = 0
    @exclusivity(unchecked) var forcedSpins = 0
    @exclusivity(unchecked) var spuriousWakesLeft = 0
    @exclusivity(unchecked) var preemptions = 0
    @exclusivity(unchecked) var staleReads = 0
    @exclusivity(unchecked) var alternativeCount = 0
    @exclusivity(unchecked) var freeAlternativeCount = 0
    let choices = ChoiceLog()
    @exclusivity(unchecked) var locks: [HeldLock] = []
    @exclusivity(unchecked) var lockSnapshots: [UInt: ClockSnapshot] = [:]
    @exclusivity(unchecked) var gracePeriods = GracePeriodState()
    let threadLocals = ThreadLocals()
    @exclusivity(unchecked) var failure: String?
    @exclusivity(unchecked) var lastWasStale = false

    private let outside: OpaquePointer
    /// Fibres return when they go on.
    fileprivate var isOver = false

    init(explorer: Explorer, mutant: Mutant?, sites: SiteList?, setUp: @escaping (Model) -> Void) {
        self.explorer = explorer
        self.mutant = mutant
        self.sites = sites
        watchesSites = mutant != nil || sites != nil
        self.setUp = setUp
        stacks = FibreStacks(count: Self.maximumThreadCount + 1)
        arena = Arena()
        slots = .allocate(capacity: Self.maximumThreadCount + 1)
        slots.initialize(repeating: ThreadSlot(), count: Self.maximumThreadCount + 1)
        trace = .allocate(capacity: Step.capacity)
        alternatives = .allocate(capacity: Alternative.capacity)
        guard let adopted = sp_fibre_adopt() else { fatalError("no memory for a fibre") }
        outside = adopted
    }

    /// After the last run. Fibres that stand at the end of their loop go on and return, so that they let go of what
    /// they hold; those of an abandoned run never do, and their stacks stay where a leak detector must look for that.
    func tearDown() {
        isOver = true
        sp_model_set_mode(Mode.quiet)
        var hasAbandoned = false
        for index in 0...Self.maximumThreadCount {
            guard let fibre = slots[index].fibre else { continue }
            if slots[index].isAbandoned {
                hasAbandoned = true
            } else {
                sp_fibre_finish(outside, fibre)
            }
            sp_fibre_destroy(fibre)
        }
        sp_model_set_mode(Mode.outside)
        sp_fibre_destroy(outside)
        if !hasAbandoned || !ExplorationReport.isSanitizedBuild { stacks.unmap() }
        arena.unmap()
        slots.deallocate()
        trace.deallocate()
        choices.deallocate()
        alternatives.deallocate()
    }

    // MARK: From the caller of an operation

    @inline(__always)
    static func withCurrent<Result>(_ body: (Execution) -> Result) -> Result {
        guard let pointer = sp_model_execution() else {
            fatalError("an operation of the model checker outside any exploration")
        }
        return Unmanaged<Execution>.fromOpaque(pointer)._withUnsafeGuaranteedRef { body($0) }
    }

    /// `body` in a thread of the run, `otherwise` in its set-up and checks.
    @inline(__always)
    static func step<Result>(
        otherwise: (Execution) -> Result, _ body: (Execution) -> Result
    ) -> Result {
        guard sp_model_enter() == Mode.thread else { return withCurrent(otherwise) }
        defer { sp_model_set_mode(Mode.thread) }
        return withCurrent(body)
    }

    @inline(__always)
    static func stepOrOutside<Result>(
        outside: @autoclosure () -> Result, otherwise: (Execution) -> Result, _ body: (Execution) -> Result
    ) -> Result {
        sp_model_mode() == Mode.outside ? outside() : step(otherwise: otherwise, body)
    }

    // MARK: A run

    /// Makes one run, from set-up to final checks, or to a failure.
    func run() {
        memory.reset(threadCount: Self.maximumThreadCount)
        prepareFibre(Self.controlIndex)
        threadCount = 0
        bodies.removeAll(keepingCapacity: true)
        slots[Self.controlIndex].status = .ended
        running = Self.controlIndex
        (stepCount, traceCount, clock, changes, sequence) = (0, 0, 1_000_000_000, 0, 0)
        (forcedSpins, preemptions, staleReads) = (0, 0, 0)
        failure = nil
        choices.removeAll()
        if !locks.isEmpty { locks.removeAll() }
        if !lockSnapshots.isEmpty { lockSnapshots.removeAll(keepingCapacity: true) }
        gracePeriods.reset()
        arena.reset()
        model.reset()
        current = Self.controlIndex
        sp_model_set_mode(Mode.quiet)
        sp_fibre_switch(outside, slots[Self.controlIndex].fibre!)
        sp_model_set_mode(Mode.quiet)
        if failure != nil { abandonFibres() }
        bodies.removeAll(keepingCapacity: true)
        model.endRun()
        threadLocals.restoreInitial()
        sp_model_set_mode(Mode.outside)
    }

    /// Set-up, threads, final checks: on the control fibre.
    fileprivate func controlRun() {
        setUp(model)
        spuriousWakesLeft = model.spuriousWakes
        for thread in 0..<threadCount { slots[thread].idleSpinsLeft = model.idleSpins }
        threadLocals.prepare()
        if threadCount > 0 {
            let first = chooseNext()
            switchTo(first)
            current = Self.controlIndex
            sp_model_set_mode(Mode.quiet)
            threadLocals.restoreInitial()
        }
        if failure == nil {
            checkInvariants()
            for body in model.finalChecks { body() }
        }
        model.digestOutcome = digest()
    }

    /// A thread of the run, on its own fibre.
    fileprivate func threadRun(_ index: Int) {
        sp_model_set_mode(Mode.thread)
        bodies[index]()
        _ = sp_model_enter()
        endThread(index)
    }

    fileprivate func leaveRun(_ index: Int) {
        sp_fibre_switch(slots[index].fibre!, outside)
    }

    /// What the threads did and saw, in whatever order it was between them.
    private func digest() -> UInt64 {
        var digest: UInt64 = 0
        for index in 0..<threadCount { digest = (digest &+ slots[index].digest) &* 0xD6E8_FEB8_6659_FD93 }
        return digest
    }

    // MARK: Failure

    /// Ends the run where it stands. Its fibres are left as they are; what they hold is lost.
    @usableFromInline
    func fail(_ message: String) -> Never {
        failure = message
        sp_model_set_mode(Mode.quiet)
        sp_fibre_switch(slots[current].fibre!, outside)
        fatalError("an abandoned fibre was resumed")
    }

    /// From a signal's stack.
    func failByTrap(_ signal: CInt) -> Never {
        failure = Signal.description(of: signal)
        sp_model_set_mode(Mode.quiet)
        sp_fibre_switch(slots[current].fibre!, outside)
        fatalError("an abandoned fibre was resumed")
    }

    private func abandonFibres() {
        for index in 0...Self.maximumThreadCount { slots[index].isAbandoned = true }
    }

    // MARK: Fibres

    func prepareFibre(_ index: Int) {
        if slots[index].isAbandoned, let fibre = slots[index].fibre {
            sp_fibre_destroy(fibre)
            slots[index].fibre = nil
        }
        if slots[index].fibre == nil {
            slots[index].fibre = stacks.makeFibre(index, execution: self)
            slots[index].isAbandoned = false
        }
        slots[index].beginRun(idleSpins: model.idleSpins)
    }

    /// S1. Returns when somebody switches back.
    func switchTo(_ target: Int) {
        let source = current
        if target == source { return }
        threadLocals.exchange(from: source, to: target)
        current = target
        sp_fibre_switch(slots[source].fibre!, slots[target].fibre!)
    }
}

/// The body of every fibre: run after run.
func fibreBody(_ argument: UnsafeMutableRawPointer?) {
    let start = argument!.assumingMemoryBound(to: FibreStart.self).pointee
    let execution = start.execution.takeUnretainedValue()
    while !execution.isOver {
        if start.index == Execution.controlIndex {
            execution.controlRun()
            execution.leaveRun(start.index)
        } else {
            execution.threadRun(start.index)
        }
    }
}
