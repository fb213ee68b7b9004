// Grace periods by specification, in the place of liburcu.
//
// G1  A grace period waits for exactly the threads that were online when it began; each is let off at its next
//     quiescent state or when it goes offline.
// G2  Before a grace period begins  ->  after a reader's next quiescent state, or after it goes online.
// G3  Before a reader's quiescent state, or before it went offline  ->  after the end of the grace periods that waited
//     for it, or that found it offline.
// G4  A thread that is online does not wait for one.

internal import CStillpointModel

/// What all threads share of it.
struct GracePeriodState {
    /// How many have begun; and how many each thread has taken note of.
    var begun = 0
    var noted = [Int](repeating: 0, count: Execution.maximumThreadCount)
    /// What was done before each began.
    var beginnings: [ClockSnapshot] = []
    /// What each thread had done when it last went offline.
    var departures = [ClockSnapshot?](repeating: nil, count: Execution.maximumThreadCount)
    var hasDepartures = false

    mutating func reset() {
        if hasDepartures {
            for thread in departures.indices { departures[thread] = nil }
            hasDepartures = false
        }
        if begun == 0 { return }
        begun = 0
        for thread in noted.indices { noted[thread] = 0 }
        beginnings.removeAll(keepingCapacity: true)
    }
}

extension Execution {
    var isOnline: Bool { slots[current].isOnline }
    var isControlOnline: Bool { slots[Self.controlIndex].isOnline }

    /// A set-up goes online and offline as it likes: nobody waits for it.
    func setControlOnline(_ isOnline: Bool) { slots[Self.controlIndex].isOnline = isOnline }

    func registerReader() { slots[current].isReader = true }

    func unregisterReader() {
        if slots[current].isOnline { fail("a reader is unregistered while online") }
        slots[current].isReader = false
    }

    func goOnline(_ site: Site) {
        let thread = current
        if !slots[thread].isReader { fail("a thread goes online that is no reader (\(site))") }
        if slots[thread].isOnline { fail("a thread goes online twice (\(site))") }
        let step = Operation(.online, 0, site)
        announce(step)
        slots[thread].isOnline = true
        noteBeginnings(thread)
        noteChange(by: thread)
        record(step, by: thread)
    }

    func goOffline(_ site: Site) {
        let thread = current
        if !slots[thread].isOnline { fail("a thread goes offline twice (\(site))") }
        let step = Operation(.offline, 0, site)
        announce(step)
        letOff(thread)
        gracePeriods.departures[thread] = memory.release(by: thread)
        gracePeriods.hasDepartures = true
        slots[thread].isOnline = false
        noteChange(by: thread)
        record(step, by: thread)
    }

    func passQuiescentState(_ site: Site) {
        let thread = current
        if !slots[thread].isOnline { fail("a quiescent state of a thread that is not online (\(site))") }
        var step = Operation(.quiescentState, 0, site)
        let isOmitted = watchesSites && mutate(&step)
        announce(step)
        if !isOmitted {
            letOff(thread)
            noteBeginnings(thread)
        }
        record(step, by: thread)
    }

    func synchronize(_ site: Site) {
        let thread = current
        if slots[thread].isOnline { fail("waiting for a grace period while online (\(site))") }
        var step = Operation(.synchronize, 0, site)
        let isOmitted = watchesSites && mutate(&step)
        announce(step)
        defer { record(step, by: thread) }
        if isOmitted { return }
        gracePeriods.begun += 1
        gracePeriods.beginnings.append(memory.release(by: thread))
        var awaited: UInt32 = 0
        for other in 0..<threadCount {
            if slots[other].isOnline {
                awaited |= 1 << UInt32(other)
            } else if let departure = gracePeriods.departures[other] {
                memory.acquire(departure, by: thread)
            }
        }
        step.operand = UInt64(awaited)
        slots[thread].awaitedReaders = awaited
        if awaited != 0 {
            slots[thread].operation.operand = UInt64(awaited)
            sleep(.inGracePeriod)
        }
    }

    /// G2. liburcu orders nothing at a quiescent state when no grace period has begun since the last.
    private func noteBeginnings(_ thread: Int) {
        while gracePeriods.noted[thread] < gracePeriods.begun {
            memory.acquire(gracePeriods.beginnings[gracePeriods.noted[thread]], by: thread)
            gracePeriods.noted[thread] += 1
        }
    }

    /// G1, G3.
    private func letOff(_ reader: Int) {
        let bit: UInt32 = 1 << UInt32(reader)
        for waiter in 0..<threadCount where slots[waiter].awaitedReaders & bit != 0 {
            slots[waiter].awaitedReaders &= ~bit
            memory.acquire(memory.release(by: reader), by: waiter)
            if slots[waiter].awaitedReaders == 0 {
                wake(waiter)
                noteChange(by: reader)
            }
        }
    }
}
