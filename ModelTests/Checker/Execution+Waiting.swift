// The steps of a thread that have to do with other threads and with time: futex, locks, clock, starts and joins,
// spinning.

internal import CStillpointModel

/// A lock that is held, by its address.
struct HeldLock {
    let address: UInt
    let holder: Int
}

extension Execution {
    // MARK: Futex

    func futexWait(_ address: UInt, _ expected: UInt32, _ deadline: UInt64?, _ site: Site) -> ModelFutexOutcome {
        var step = Operation(.futexWait, address, site)
        step.byteCount = 4
        step.operand = UInt64(expected)
        announce(step)
        step.result = sp_plain_load(UnsafeRawPointer(bitPattern: address)!, 4)
        step.failed = step.result != step.operand
        record(step, by: current)
        if step.failed { return .valueDiffers }
        let thread = current
        slots[thread].deadline = deadline ?? .max
        sleep(.asleepOnFutex)
        return slots[thread].wakeReason
    }

    func futexWake(_ address: UInt, _ count: Int, _ site: Site) -> Int {
        var step = Operation(.futexWake, address, site)
        let isOmitted = watchesSites && mutate(&step)
        step.operand = UInt64(bitPattern: Int64(count))
        announce(step)
        var woken = 0
        while !isOmitted, woken < count {
            let sleepers = sleepersByAge(at: address)
            if sleepers.isEmpty { break }
            let isChoice = sleepers.count > 1 && count - woken < sleepers.count
            wake(sleepers[isChoice ? chooseOutcome(sleepers.count) : 0])
            woken += 1
        }
        if woken > 0 { noteChange(by: current) }
        step.result = UInt64(woken)
        record(step, by: current)
        return woken
    }

    private func sleepersByAge(at address: UInt) -> [Int] {
        var sleepers: [Int] = []
        for thread in 0..<threadCount
        where slots[thread].status == .asleepOnFutex && slots[thread].operation.address == address {
            sleepers.append(thread)
        }
        if sleepers.count > 1 { sleepers.sort { slots[$0].sleepNumber < slots[$1].sleepNumber } }
        return sleepers
    }

    // MARK: Locks

    func holder(of address: UInt) -> Int? {
        for held in locks where held.address == address { return held.holder }
        return nil
    }

    func takeLock(_ address: UInt, by thread: Int) -> Bool {
        if holder(of: address) != nil { return false }
        locks.append(HeldLock(address: address, holder: thread))
        slots[thread].heldLockCount += 1
        return true
    }

    func releaseLock(_ address: UInt, by thread: Int) {
        guard let index = locks.firstIndex(where: { $0.address == address }), locks[index].holder == thread else {
            fail("an unlock of \(placeName(address)), which the thread does not hold")
        }
        locks.remove(at: index)
        slots[thread].heldLockCount -= 1
    }

    func lock(_ address: UInt, _ site: Site) {
        if holder(of: address) == current { fail("\(placeName(address)) is locked by its holder (\(site))") }
        let step = Operation(.lock, address, site)
        announce(step)
        _ = takeLock(address, by: current)
        if let snapshot = lockSnapshots[address] { memory.acquire(snapshot, by: current) }
        record(step, by: current)
    }

    func tryLock(_ address: UInt, _ site: Site) -> Bool {
        var step = Operation(.tryLock, address, site)
        announce(step)
        let isTaken = takeLock(address, by: current)
        if isTaken, let snapshot = lockSnapshots[address] { memory.acquire(snapshot, by: current) }
        step.failed = !isTaken
        step.result = isTaken ? 1 : 0
        record(step, by: current)
        return isTaken
    }

    func unlock(_ address: UInt, _ site: Site) {
        let step = Operation(.unlock, address, site)
        announce(step)
        releaseLock(address, by: current)
        lockSnapshots[address] = memory.release(by: current)
        noteChange(by: current)
        record(step, by: current)
    }

    // MARK: Time

    func readClock(_ site: Site) -> UInt64 {
        var step = Operation(.clock, 0, site)
        announce(step)
        if model.clockJumpNanoseconds > 0, chooseOutcome(2) == 1 { clock += model.clockJumpNanoseconds }
        step.result = clock
        record(step, by: current)
        return clock
    }

    func sleep(_ deadline: UInt64, _ site: Site) {
        var step = Operation(.sleep, 0, site)
        step.operand = deadline
        announce(step)
        record(step, by: current)
        if deadline <= clock { return }
        slots[current].deadline = deadline
        sleep(.asleepOnClock)
    }

    // MARK: Threads

    /// From the set-up.
    func addThread(_ name: String, _ body: @escaping () -> Void) -> Int {
        guard threadCount < Self.maximumThreadCount else {
            fail("a run has at most \(Self.maximumThreadCount) threads")
        }
        let index = threadCount
        threadCount += 1
        model.names.append(name)
        bodies.append(body)
        prepareFibre(index)
        threadLocals.beginThread(index)
        return index
    }

    func startThread(_ name: String, _ body: @escaping () -> Void, _ site: Site) -> Int {
        var step = Operation(.start, 0, site)
        announce(step)
        let index = addThread(name, body)
        memory.start(child: index, by: current)
        noteChange(by: current)
        step.address = UInt(index)
        step.result = UInt64(index)
        record(step, by: current)
        return index
    }

    func join(_ thread: Int, _ site: Site) {
        if thread == current { fail("\(model.names[thread]) joins itself") }
        let step = Operation(.join, UInt(thread), site)
        announce(step)
        memory.join(child: thread, by: current)
        record(step, by: current)
    }

    // MARK: Spinning

    func spin(_ site: Site) {
        let thread = current
        memory.spinHint(by: thread)
        let others = changes - slots[thread].ownChanges
        if others == slots[thread].changesSeen && !slots[thread].sawStale {
            slots[thread].operation = Operation(.idleSpin, 0, site)
            sequence += 1
            slots[thread].spinNumber = sequence
            sleep(.spinning)
        }
        slots[thread].changesSeen = changes - slots[thread].ownChanges
        slots[thread].sawStale = false
    }
}
