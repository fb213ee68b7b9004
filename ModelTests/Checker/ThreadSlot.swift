// One thread of a run, as the scheduler keeps it. Trivial, in raw memory: the scheduler changes it while that thread's
// own frames stand still in the middle of a call, so no access may be open.

/// Where a thread stands.
enum ThreadStatus: UInt8 {
    /// Runs, without a choice, up to its next operation: it has just been started or woken.
    case eager
    /// Before `operation`, which may have to wait for a lock or a thread.
    case ready
    case asleepOnFutex
    case asleepOnClock
    case inGracePeriod
    /// Spins, and nothing has changed since it last looked.
    case spinning
    case ended
}

struct ThreadSlot {
    var fibre: OpaquePointer?
    /// The fibre has frames of a run that was abandoned.
    var isAbandoned = false
    var status = ThreadStatus.ended
    var operation = Operation(.load, 0, .unknown)
    var wakeReason = ModelFutexOutcome.woken
    /// `.max`: none.
    var deadline = UInt64.max
    /// When it fell asleep, as a number that grows.
    var sleepNumber: UInt64 = 0

    /// How much others had changed when it last began to look around; and what it changed itself since.
    var changesSeen: UInt64 = 0
    var ownChanges: UInt64 = 0
    var sawStale = false
    var idleSpinsLeft = 0
    var spinNumber: UInt64 = 0

    var isReader = false
    var isOnline = false
    /// Readers that its grace period still waits for, one bit each.
    var awaitedReaders: UInt32 = 0

    var heldLockCount = 0
    /// A digest of all that it did and saw in this run.
    var digest: UInt64 = 0
}

extension ThreadSlot {
    mutating func beginRun(idleSpins: Int) {
        let (fibre, isAbandoned) = (fibre, isAbandoned)
        self = ThreadSlot()
        self.fibre = fibre
        self.isAbandoned = isAbandoned
        idleSpinsLeft = idleSpins
        status = .eager
    }

    mutating func digest(_ value: UInt64) {
        digest = (digest ^ value) &* 0x9E37_79B9_7F4A_7C15
        digest ^= digest >> 29
    }
}
