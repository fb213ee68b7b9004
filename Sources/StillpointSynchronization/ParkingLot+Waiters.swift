// What an unparker does under a bucket's lock: it takes waiters out of the queue, gives them a
// token, and lets them go when the lock is free again.

internal import StillpointPlatform

/// The waiters at one address, while their bucket is locked; those that are taken form a chain in
/// the order of the queue, and are woken after the lock is let go.
@safe
struct ParkedWaiters: ~Copyable {
    let bucket: ParkingBucket
    let address: UInt
    private var firstTaken: UnsafeMutablePointer<ParkedWaiter>?
    private var lastTaken: UnsafeMutablePointer<ParkedWaiter>?

    init(bucket: ParkingBucket, address: UInt) {
        self.bucket = bucket
        self.address = address
        unsafe firstTaken = nil
        unsafe lastTaken = nil
    }

    // MARK: Under the lock

    /// Takes the waiter that has waited longest.
    mutating func takeFirst() -> ParkingLot.UnparkInfo {
        let key = address
        guard let waiter = unsafe bucket.first(where: { unsafe $0.pointee.address == key }) else {
            return .init(didUnpark: false, hasMoreWaiters: false, shouldHandOff: false)
        }
        unsafe take(waiter)
        let now = MonotonicClock.nanoseconds()
        let since = unsafe waiter.pointee.since
        return .init(
            didUnpark: true, hasMoreWaiters: bucket.hasWaiter(at: address),
            shouldHandOff: now >= since && now - since >= ParkingLot.patienceNanoseconds)
    }

    /// Takes the waiter of this kind that has waited longest; whether there was one.
    mutating func takeFirst(kind: UInt) -> Bool {
        let key = address
        let wanted = unsafe bucket.first(where: {
            unsafe $0.pointee.address == key && $0.pointee.kind == kind
        })
        guard let waiter = unsafe wanted else { return false }
        unsafe take(waiter)
        return true
    }

    /// Takes all waiters of this kind (nil: of every kind) at the address; returns how many.
    mutating func takeAll(kind: UInt? = nil) -> Int {
        let key = address
        return unsafe takeAll(where: {
            unsafe $0.pointee.address == key && (kind == nil || $0.pointee.kind == kind)
        })
    }

    /// Takes all waiters of the bucket that `isWanted` accepts; returns how many.
    mutating func takeAll(where isWanted: (UnsafeMutablePointer<ParkedWaiter>) -> Bool) -> Int {
        var count = 0
        var candidate = unsafe bucket.firstWaiter
        while let waiter = unsafe candidate {
            unsafe candidate = waiter.pointee.next  // `take` overwrites it
            guard unsafe isWanted(waiter) else { continue }
            unsafe take(waiter)
            count += 1
        }
        return count
    }

    /// Whether anybody waits at the address still.
    func hasWaiter() -> Bool { bucket.hasWaiter(at: address) }

    /// How many wait at the address.
    func count() -> Int {
        var count = 0
        let key = address
        _ = unsafe bucket.first(where: { waiter in
            if unsafe waiter.pointee.address == key { count += 1 }
            return false
        })
        return count
    }

    /// What those that are taken find as their token.
    func giveToken(_ token: UInt) {
        var next = unsafe firstTaken
        while let waiter = unsafe next {
            unsafe waiter.pointee.token = token
            unsafe next = waiter.pointee.next
        }
    }

    private mutating func take(_ waiter: UnsafeMutablePointer<ParkedWaiter>) {
        unsafe bucket.remove(waiter)
        if let last = unsafe lastTaken {
            unsafe last.pointee.next = waiter
        } else {
            unsafe firstTaken = waiter
        }
        unsafe lastTaken = waiter
    }

    // MARK: After the lock

    /// Lets go of those that are taken, the longest waiting first.
    mutating func wakeTaken() {
        var next = unsafe firstTaken
        unsafe firstTaken = nil
        unsafe lastTaken = nil
        while let waiter = unsafe next {
            unsafe next = waiter.pointee.next
            let word = unsafe ParkedWaiter.wakeWord(of: waiter)
            // releasing: [wake], with the load in `ParkingLot.sleep`. P3: the waiter may return,
            // and its stack be used for something else, from here on.
            unsafe waiter.pointee.isWoken.store(1, ordering: .releasing)
            // Reads no memory, so the address may be gone. If something else sleeps there by now,
            // it is woken for nothing, which a futex sleeper always must be ready for.
            unsafe Futex.wake(word)
        }
    }
}
