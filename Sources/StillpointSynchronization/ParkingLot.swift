// The parking lot: threads sleep on the address of anything, so that a lock needs two bits and no
// queue of its own. After WebKit's WTF::ParkingLot and CPython's Python/parking_lot.c.
//
// The problem: a thread looks at a word, decides to sleep, and must not miss the wake that comes in
// between; and the thread that wakes must change the word and the queue as one step. Both happen
// under the lock of the bucket that the address hashes to: a sleeper checks its word there
// ("compare before sleep"), a waker changes it there.
//
// States of a waiter, and who makes each move:
//
//                 itself,             an unparker,              an unparker,
//               under the lock      under the lock           after the lock
//   running  ------------------> queued ----------> taken -----------------> woken
//      ^                           |                                            |
//      |  itself, under the lock:  |                                            |
//      |  its deadline has passed  |                                            |
//      +---------------------------+--------------------------------------------+
//
// P1  A waiter is in the queue of its address's bucket if and only if it is queued; queues are
//     first in, first out.
// P2  A waiter that is taken consumes its wake and reports it, even when its deadline has passed
//     meanwhile.
// P3  A waiter's node lies on its own stack and ends with the wait. Nobody touches it after the
//     store that wakes.
// P4  Nothing here allocates, the table lies in the program's image; nothing here knows what the address means.
//     The address is a key and is never read, so the memory behind it may be gone when a late
//     unpark comes for it: whoever parks must take a wake it did not hope for, and look again.
// P5  A child of fork has an empty lot: the waiters of its parent are not its own.
//
// Lock order: a bucket's lock is the innermost lock of the process. One is held at a time. The
// callbacks that run under it take no lock, neither park nor unpark, and have a bounded number of
// steps.
//
// [bucket]  what was done under a bucket's lock  ->  what is done under it later
// [wake]    the unparker's writes before it let the waiter go  ->  the waiter's reads after its
//           wait

internal import StillpointPlatform

/// Sleeping on addresses: one lot a process.
///
/// All functions may be called from any OS thread, at any time but under a bucket's lock (in a
/// callback that says so). They block the OS thread and know nothing of thread states.
public enum ParkingLot {
    /// How a wait ended.
    public enum ParkOutcome: Equatable, Sendable {
        /// Woken; the token is what the unparker's callback returned.
        case unparked(token: UInt)
        /// `validate` returned false: the thread has not slept, `beforeSleep` has not run.
        case notParked
        /// The deadline passed before an unparker came.
        case timedOut
    }

    /// What an unparker learns under the bucket's lock.
    public struct UnparkInfo: Equatable, Sendable {
        /// Whether a waiter was taken.
        public let didUnpark: Bool
        /// Whether others wait at this address still. Exact, under the bucket's lock.
        public let hasMoreWaiters: Bool
        /// Whether the waiter that was taken has waited for a millisecond or more: what it waits
        /// for should be handed to it, since it has lost too often.
        public let shouldHandOff: Bool
    }

    /// A waiter that has waited for so long is handed what it waits for.
    public static var patienceNanoseconds: UInt64 { 1_000_000 }

    /// Puts the calling thread to sleep at `address` until it is unparked there.
    ///
    /// - Parameters:
    ///   - kind: What the waiter waits for, when several sorts of waiters share an address.
    ///   - deadline: Nanoseconds of `MonotonicClock`; nil: no end.
    ///   - waitingSince: When the caller began to wait, if it has slept before for the same cause:
    ///     its patience counts from there. Nil: from now.
    ///   - validate: Runs under the bucket's lock. False: do not sleep.
    ///   - beforeSleep: Runs once the thread is queued, with no lock held, before it sleeps. It may
    ///     lock and park.
    ///   - onTimeout: Runs under the bucket's lock when the wait ends by its deadline; told whether
    ///     others wait at this address.
    public static func park(
        at address: UnsafeRawPointer,
        kind: UInt = 0,
        untilNanoseconds deadline: UInt64? = nil,
        waitingSinceNanoseconds waitingSince: UInt64? = nil,
        validate: () -> Bool,
        beforeSleep: () -> Void = {},
        onTimeout: (_ hasMoreWaiters: Bool) -> Void = { _ in }
    ) -> ParkOutcome {
        let bucket = ParkingTable.bucket(of: UInt(bitPattern: address))
        var node = ParkedWaiter(
            address: UInt(bitPattern: address), kind: kind,
            since: waitingSince ?? MonotonicClock.nanoseconds())
        return unsafe withUnsafeMutablePointer(to: &node) { waiter in
            bucket.lock()  // [bucket]
            guard validate() else {
                bucket.unlock()
                return .notParked
            }
            unsafe bucket.append(waiter)
            bucket.unlock()  // [bucket]
            beforeSleep()
            return unsafe sleep(waiter, in: bucket, until: deadline, onTimeout: onTimeout)
        }
    }

    private static func sleep(
        _ waiter: UnsafeMutablePointer<ParkedWaiter>, in bucket: ParkingBucket,
        until deadline: UInt64?, onTimeout: (Bool) -> Void
    ) -> ParkOutcome {
        var deadline = deadline
        // acquiring: [wake], with the store in `ParkedWaiters.wakeTaken`.
        while unsafe waiter.pointee.isWoken.load(ordering: .acquiring) == 0 {
            let outcome = unsafe Futex.wait(
                on: ParkedWaiter.wakeWord(of: waiter), while: 0, untilNanoseconds: deadline)
            guard outcome == .timedOut else { continue }
            bucket.lock()  // [bucket]
            let isQueued = unsafe recheck("parking.stillQueued", waiter.pointee.isQueued)
            if isQueued {
                unsafe bucket.remove(waiter)
                onTimeout(unsafe bucket.hasWaiter(at: waiter.pointee.address))
            }
            bucket.unlock()  // [bucket]
            if isQueued { return .timedOut }
            deadline = nil  // P2: taken already, the wake is on its way
        }
        return .unparked(token: unsafe waiter.pointee.token)
    }

    /// Wakes the thread that has waited longest at `address`, if any.
    ///
    /// - Parameter callback: Runs under the bucket's lock, also when nobody waits; returns the
    ///   waiter's token.
    /// - Returns: What the callback was told.
    @discardableResult
    public static func unparkOne(
        at address: UnsafeRawPointer, callback: (UnparkInfo) -> UInt
    ) -> UnparkInfo {
        unsafe withWaiters(at: address) { waiters in
            let info = waiters.takeFirst()
            waiters.giveToken(callback(info))
            return info
        }
    }

    /// Wakes every thread that waits at `address`; returns how many.
    @discardableResult
    public static func unparkAll(at address: UnsafeRawPointer, token: UInt = 0) -> Int {
        unsafe withWaiters(at: address) { waiters in
            let count = waiters.takeAll()
            waiters.giveToken(token)
            return count
        }
    }

    /// Wakes every thread that waits at an address which `isWanted` accepts; returns how many.
    /// Looks at every waiter of the process, bucket by bucket: a pause wakes with it all that wait
    /// for object locks of its interpreter.
    ///
    /// - Parameter isWanted: Runs under a bucket's lock.
    @discardableResult
    public static func unparkAll(
        where isWanted: (_ address: UnsafeRawPointer) -> Bool, token: UInt = 0
    ) -> Int {
        var count = 0
        for index in 0..<ParkingTable.bucketCount {
            var waiters = ParkedWaiters(bucket: ParkingTable.bucket(at: index), address: 0)
            waiters.bucket.lock()  // [bucket]
            count += unsafe waiters.takeAll(where: { waiter in
                guard let address = unsafe UnsafeRawPointer(bitPattern: waiter.pointee.address)
                else { return false }
                return unsafe isWanted(address)
            })
            waiters.giveToken(token)
            waiters.bucket.unlock()  // [bucket]
            waiters.wakeTaken()
        }
        return count
    }

    /// Runs `body` under the lock of the bucket of `address`; wakes what it takes when the lock is
    /// free again. What `unparkOne` and `unparkAll` are made of, for locks that choose among their
    /// waiters.
    static func withWaiters<Result>(
        at address: UnsafeRawPointer, _ body: (inout ParkedWaiters) -> Result
    ) -> Result {
        let key = UInt(bitPattern: address)
        var waiters = ParkedWaiters(bucket: ParkingTable.bucket(of: key), address: key)
        waiters.bucket.lock()  // [bucket]
        let result = body(&waiters)
        waiters.bucket.unlock()  // [bucket]
        waiters.wakeTaken()
        return result
    }

    /// How many threads wait at `address`. For tests and diagnosis: it may be wrong when it
    /// returns.
    public static func waiterCount(at address: UnsafeRawPointer) -> Int {
        unsafe withWaiters(at: address) { $0.count() }
    }

    // MARK: Fork

    /// Before fork: makes the table, so that the child never waits for a thread of its parent to
    /// finish making it. No lock is held over the fork: the child empties the table whatever state
    /// it finds it in.
    public static func prepareForFork() {
        _ = ParkingTable.bucket(at: 0)
    }

    /// In the child of a fork, before it makes a thread or uses a lock: forgets every waiter and
    /// every bucket's lock.
    public static func resetAfterForkInChild() {
        ParkingTable.clear()
    }
}
