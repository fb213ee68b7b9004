// Who goes on: the alternatives at a point, their price, and the choice.
//
// An alternative is free or costs a preemption. Free: the thread that performed the last step, or any that is ready
// when that one cannot go on; a deadline when nobody is ready. The free ones come first, so that an exploration with no
// preemption left looks at a prefix of them, and a token means the same under every strategy.

internal import CStillpointModel

/// One way to go on.
struct Alternative {
    enum Manner: UInt8 { case perform, timeOut, wakeWithoutCause, idleSpin, forcedSpin }

    var thread: UInt8
    var manner: Manner

    static let capacity = Execution.maximumThreadCount * 4
    /// A number below 64 for each that there can be.
    var bit: UInt64 { 1 << UInt64(thread * 4 + min(manner.rawValue, 3)) }
}

extension Execution {
    // MARK: What a thread does

    /// Announces the operation of the current thread; returns when it is to be performed.
    @inline(__always)
    func announce(_ operation: Operation) {
        let thread = current
        slots[thread].operation = operation
        slots[thread].status = .ready
        switchTo(chooseNext())
        running = thread
    }

    /// The current thread waits in this state; returns when it has been woken.
    func sleep(_ status: ThreadStatus) {
        let thread = current
        slots[thread].status = status
        sequence += 1
        slots[thread].sleepNumber = sequence
        switchTo(chooseNext())
    }

    func wake(_ thread: Int, _ reason: ModelFutexOutcome = .woken) {
        slots[thread].wakeReason = reason
        slots[thread].deadline = .max
        slots[thread].status = .eager
    }

    func endThread(_ thread: Int) {
        if slots[thread].heldLockCount != 0 { fail("\(model.names[thread]) ended with a lock held") }
        if slots[thread].isOnline { fail("\(model.names[thread]) ended online, as a reader of grace periods") }
        slots[thread].status = .ended
        noteChange(by: thread)
        switchTo(chooseNext())
    }

    func hasEnded(_ thread: Int) -> Bool { slots[thread].status == .ended }

    /// A step after which somebody who looks may find something new.
    @inline(__always)
    func noteChange(by thread: Int) {
        changes += 1
        slots[thread].ownChanges += 1
        forcedSpins = 0
        for other in 0..<threadCount where slots[other].status == .spinning { slots[other].status = .eager }
    }

    // MARK: The choice

    /// The slot that goes on.
    @inline(__always)
    func chooseNext() -> Int {
        for thread in 0..<threadCount where slots[thread].status == .eager {
            slots[thread].status = .ready
            return thread
        }
        if model.hasInvariants { checkInvariants() }
        gatherAlternatives()
        if alternativeCount == 0 {
            for thread in 0..<threadCount where slots[thread].status != .ended { failForDeadlock() }
            return Self.controlIndex
        }
        stepCount += 1
        if stepCount > model.stepLimit {
            fail("the run does not end: \(model.stepLimit) steps")
        }
        var index = 0
        if alternativeCount > 1 {
            index = explorer.chooseThread(self)
            choices.append(index)
            if index >= freeAlternativeCount { preemptions += 1 }
        } else if explorer.watchesEveryStep {
            index = explorer.chooseThread(self)
        }
        let chosen = alternatives[index]
        if chosen.manner != .perform { apply(chosen) }
        return Int(chosen.thread)
    }

    private func gatherAlternatives() {
        var count = 0
        let wasRunning = isEnabled(running)
        if wasRunning {
            alternatives[0] = Alternative(thread: UInt8(running), manner: .perform)
            count = 1
        }
        var hasOthers = false
        for thread in 0..<threadCount {
            switch slots[thread].status {
            case .ready:
                guard thread != running, isEnabled(thread) else { continue }
                alternatives[count] = Alternative(thread: UInt8(thread), manner: .perform)
                count += 1
            case .asleepOnFutex, .asleepOnClock, .spinning: hasOthers = true
            case .eager, .inGracePeriod, .ended: break
            }
        }
        freeAlternativeCount = wasRunning ? 1 : count
        if hasOthers { count = gatherSleepers(from: count) }
        alternativeCount = count
    }

    private func gatherSleepers(from readyCount: Int) -> Int {
        var count = readyCount
        for thread in 0..<threadCount where slots[thread].deadline != .max {
            let status = slots[thread].status
            guard status == .asleepOnFutex || status == .asleepOnClock else { continue }
            alternatives[count] = Alternative(thread: UInt8(thread), manner: .timeOut)
            count += 1
        }
        if count == 0 {
            // Nobody is ready and no deadline stands: only those go on that spin, the longest without a turn first.
            guard let spinner = longestSpinner() else { return 0 }
            alternatives[0] = Alternative(thread: UInt8(spinner), manner: .forcedSpin)
            freeAlternativeCount = 1
            return 1
        }
        for thread in 0..<threadCount
        where slots[thread].status == .spinning && slots[thread].idleSpinsLeft > 0 {
            alternatives[count] = Alternative(thread: UInt8(thread), manner: .idleSpin)
            count += 1
        }
        if readyCount == 0 { freeAlternativeCount = count }
        guard spuriousWakesLeft > 0 else { return count }
        for thread in 0..<threadCount where slots[thread].status == .asleepOnFutex {
            alternatives[count] = Alternative(thread: UInt8(thread), manner: .wakeWithoutCause)
            count += 1
        }
        return count
    }

    private func isEnabled(_ thread: Int) -> Bool {
        guard slots[thread].status == .ready else { return false }
        switch slots[thread].operation.kind {
        case .lock: return holder(of: slots[thread].operation.address) == nil
        case .join: return hasEnded(Int(slots[thread].operation.address))
        default: return true
        }
    }

    private func longestSpinner() -> Int? {
        var best: Int?
        for thread in 0..<threadCount where slots[thread].status == .spinning {
            if let other = best, slots[other].spinNumber < slots[thread].spinNumber { continue }
            best = thread
        }
        return best
    }

    private func apply(_ alternative: Alternative) {
        let thread = Int(alternative.thread)
        var operation = slots[thread].operation
        switch alternative.manner {
        case .perform: return
        case .timeOut:
            clock = max(clock, slots[thread].deadline)
            operation.kind = .timeOut
            operation.result = clock
            wake(thread, .timedOut)
        case .wakeWithoutCause:
            spuriousWakesLeft -= 1
            operation.kind = .wakeWithoutCause
            wake(thread)
        case .idleSpin:
            slots[thread].idleSpinsLeft -= 1
            operation.kind = .idleSpin
        case .forcedSpin:
            operation.kind = .idleSpin
            forcedSpins += 1
            if forcedSpins > model.spinLimit { failForSpinning() }
        }
        slots[thread].status = .ready
        running = thread
        if alternative.manner != .forcedSpin { record(operation, by: thread) }
    }

    // MARK: Values

    /// One of `count` outcomes of a step; 0 is the plain one.
    func chooseValue(_ count: Int) -> Int {
        let index = explorer.chooseValue(self, count: count, price: .staleRead)
        choices.append(index)
        if index > 0 {
            staleReads += 1
            lastWasStale = true
        }
        return index
    }

    /// The same for what is no store: who is woken, how far time jumps.
    func chooseOutcome(_ count: Int) -> Int {
        let index = explorer.chooseValue(self, count: count, price: .preemption)
        choices.append(index)
        if index > 0 { preemptions += 1 }
        return index
    }

    // MARK: Checks

    func checkInvariants() {
        let mode = sp_model_mode()
        sp_model_set_mode(Mode.quiet)
        for invariant in model.invariants where !invariant.condition() {
            fail("invariant \(invariant.name) does not hold")
        }
        sp_model_set_mode(mode)
    }

    private func failForDeadlock() -> Never {
        let waiting = (0..<threadCount).filter { !hasEnded($0) }
        fail("deadlock or lost wake-up: " + waiting.map(standing).joined(separator: "; "))
    }

    private func failForSpinning() -> Never {
        let waiting = (0..<threadCount).filter { !hasEnded($0) }
        fail("spinning without end: " + waiting.map(standing).joined(separator: "; "))
    }

    /// What a thread that does not go on waits for.
    private func standing(_ thread: Int) -> String {
        let operation = slots[thread].operation
        let place = placeName(operation.address)
        let what =
            switch slots[thread].status {
            case .asleepOnFutex: "sleeps on \(place)"
            case .asleepOnClock: "sleeps until \(slots[thread].deadline) ns"
            case .inGracePeriod: "waits for a grace period"
            case .spinning: "spins"
            case .ready where operation.kind == .join: "waits for the end of \(model.names[Int(operation.address)])"
            case .ready where operation.kind == .lock: "waits for lock \(place)"
            case .eager, .ready, .ended: "is ready"
            }
        return "\(model.names[thread]) \(what) (\(operation.site))"
    }
}
