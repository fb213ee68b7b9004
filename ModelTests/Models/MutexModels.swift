#if ModelCheck
// The mutex of one byte: L1 to L5, [lock] and [hand-off] of LockBits+SlowPath.swift, on the bucket's lock as specified.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var mutexModels: [ProtocolModel] {
    [
        mutexTwice, mutexOfThree, mutexWithRealBucket, tryLockWhileOthersWait, fairUnlock, patience, lockDeadlines,
        handOffAgainstDeadline, freedMutex,
    ]
}

private typealias MutexPointer = UnsafeMutablePointer<ParkingMutex>

extension Model {
    /// A free mutex and a number that it guards; L1 is looked at after every step.
    fileprivate func allocateMutex() -> (MutexPointer, UnsafeMutablePointer<Int>) {
        let mutex = allocate(ParkingMutex.self)
        mutex.initialize(to: ParkingMutex())
        name(mutex, "mutex")
        invariant("L1") {
            guard let count = ParkingInspection.waiterCount(at: mutex), count > 0 else { return true }
            return mutex.pointee.rawByte & LockState.parked != 0
        }
        finally { self.expect(mutex.pointee.rawByte == 0, "the mutex is not free in the end") }
        return (mutex, allocate(Int.self))
    }
}

// MARK: Lock and unlock

private var mutexTwice: ProtocolModel {
    ProtocolModel(
        "mutex: two threads, twice each", "one holds it at a time; [lock]; L1, L2; nobody sleeps for ever",
        smoke: [.depthFirst(preemptions: 4, staleReads: 1), .random(seed: 1, runs: 5000)],
        long: [.depthFirst(preemptions: 6, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        model.idleSpins = 2
        model.spuriousWakes = 1
        useMutex(model, threads: ["a", "b"], times: 2)
    }
}

private var mutexOfThree: ProtocolModel {
    ProtocolModel(
        "mutex: three threads", "one holds it at a time; [lock]; L1, L2; nobody sleeps for ever",
        smoke: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 2, depth: 4, runs: 5000)],
        long: [.depthFirst(preemptions: 5, staleReads: 1), .priorities(seed: 2, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        useMutex(model, threads: ["a", "b", "c"], times: 1)
    }
}

private var mutexWithRealBucket: ProtocolModel {
    ProtocolModel(
        "mutex: two threads, with the bucket's own lock", "the same down to the futex",
        smoke: [.depthFirst(preemptions: 4, staleReads: 2), .random(seed: 3, runs: 3000)],
        long: [.depthFirst(preemptions: 6, staleReads: 2), .priorities(seed: 3, depth: 4, runs: 500_000)]
    ) { model in
        useMutex(model, threads: ["a", "b"], times: 1)
    }
}

private func useMutex(_ model: Model, threads: [String], times: Int) {
    let (mutex, data) = model.allocateMutex()
    for name in threads {
        model.thread(name) {
            for _ in 0..<times {
                mutex.pointee.lock()
                data.pointee += 1
                mutex.pointee.unlock()
            }
        }
    }
    model.finally { model.expect(data.pointee == threads.count * times, "two held the lock at once") }
}

private var tryLockWhileOthersWait: ProtocolModel {
    ProtocolModel(
        "mutex: a try while others wait", "who tries takes a free lock past two that sleep: [lock]; L1",
        smoke: [.depthFirst(preemptions: 2, staleReads: 0), .priorities(seed: 4, depth: 3, runs: 10_000)],
        long: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 4, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let (mutex, data) = model.allocateMutex()
        mutex.pointee.lock()
        model.thread("holder") {
            data.pointee += 1
            mutex.pointee.unlock()
        }
        for name in ["a", "b"] {
            model.thread(name) {
                mutex.pointee.lock()
                data.pointee += 1
                mutex.pointee.unlock()
            }
        }
        model.thread("trier") {
            guard mutex.pointee.tryLock() else { return }
            data.pointee += 1
            mutex.pointee.unlock()
        }
        model.finally { model.expect(data.pointee >= 3, "two held the lock at once") }
    }
}

// MARK: Hand-off

/// After an unlock that must hand over: whether a lock that the unlocker got again was truly free again.
private func expectHandOff(_ model: Model, _ mutex: MutexPointer, _ isDone: Ghost<Bool>, _ name: String) {
    guard mutex.pointee.tryLock() else { return }
    model.expect(isDone.value, "\(name): the lock was free before the waiter had it")
    mutex.pointee.unlock()
}

private var fairUnlock: ProtocolModel {
    ProtocolModel(
        "mutex: a fair unlock", "the first that waits is handed the lock, which is never free between: L3, [hand-off]",
        smoke: [.depthFirst(preemptions: 5, staleReads: 2)],
        long: [.depthFirst(preemptions: 8, staleReads: 2)]
    ) { model in
        Specification.take(.bucket)
        let (mutex, data) = model.allocateMutex()
        let isDone = Ghost(false)
        mutex.pointee.lock()
        model.thread("waiter") {
            mutex.pointee.lock()
            data.pointee += 1
            isDone.value = true
            mutex.pointee.unlockFairly()
        }
        model.thread("holder") {
            data.pointee += 1
            let mustHandOver = (ParkingInspection.waiterCount(at: mutex) ?? 0) > 0
            mutex.pointee.unlockFairly()
            if mustHandOver { expectHandOff(model, mutex, isDone, "L3") }
        }
    }
}

private var patience: ProtocolModel {
    ProtocolModel(
        "mutex: a waiter's patience", "L4: who has waited for a millisecond since its first sleep is handed the lock",
        smoke: [.depthFirst(preemptions: 4, staleReads: 0), .priorities(seed: 5, depth: 4, runs: 5000)],
        long: [.depthFirst(preemptions: 6, staleReads: 1), .priorities(seed: 5, depth: 5, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        model.clockJumpNanoseconds = ParkingLot.patienceNanoseconds
        let (mutex, data) = model.allocateMutex()
        let since = Ghost(UInt64.max), isDone = Ghost(false)
        mutex.pointee.lock()
        model.thread("waiter") {
            _ = mutex.pointee.lock(untilNanoseconds: nil, beforeSleep: {
                if since.value == .max { since.value = MonotonicClock.nanoseconds() }
            })
            data.pointee += 1
            isDone.value = true
            mutex.pointee.unlock()
        }
        model.thread("holder") {
            data.pointee += 1
            for _ in 0..<2 {
                let now = MonotonicClock.nanoseconds()
                let mustHandOver = (ParkingInspection.waiterCount(at: mutex) ?? 0) > 0 && now >= since.value
                    && now - since.value >= ParkingLot.patienceNanoseconds
                mutex.pointee.unlock()
                if mustHandOver { return expectHandOff(model, mutex, isDone, "L4") }
                guard mutex.pointee.tryLock() else { return }
            }
            mutex.pointee.unlock()
        }
    }
}

// MARK: Deadlines

private var lockDeadlines: ProtocolModel {
    ProtocolModel(
        "mutex: deadlines", "who gives up leaves the lock whole, and no wake is lost with it: L1, L2, P2",
        smoke: [.depthFirst(preemptions: 3, staleReads: 0), .priorities(seed: 6, depth: 4, runs: 5000)],
        long: [.depthFirst(preemptions: 5, staleReads: 1), .priorities(seed: 6, depth: 5, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let (mutex, data) = model.allocateMutex()
        mutex.pointee.lock()
        model.thread("holder") {
            data.pointee += 1
            mutex.pointee.unlock()
        }
        model.thread("hurried") {
            guard mutex.pointee.lock(untilNanoseconds: 1_000_000_100) else { return }
            data.pointee += 1
            mutex.pointee.unlock()
        }
        model.thread("patient") {
            mutex.pointee.lock()
            data.pointee += 1
            mutex.pointee.unlock()
        }
    }
}

private var handOffAgainstDeadline: ProtocolModel {
    ProtocolModel(
        "mutex: a hand-off against a deadline", "who is handed the lock has it, though its deadline has passed: L3, P2",
        smoke: [.depthFirst(preemptions: 5, staleReads: 2)], long: [.depthFirst(preemptions: 8, staleReads: 2)]
    ) { model in
        Specification.take(.bucket)
        let (mutex, data) = model.allocateMutex()
        mutex.pointee.lock()
        model.thread("hurried") {
            guard mutex.pointee.lock(untilNanoseconds: 1_000_000_100) else { return model.outcome("timed out") }
            data.pointee += 1
            model.outcome("locked")
            mutex.pointee.unlockFairly()
        }
        model.thread("holder") {
            data.pointee += 1
            mutex.pointee.unlockFairly()
        }
    }
}

// MARK: The end of the memory

/// Who gives up leaves PARKED set, so that an unlock goes the slow way with nobody queued: the lock is free for the
/// next while the unlocker is still at work.
private var freedMutex: ProtocolModel {
    ProtocolModel(
        "mutex: freed by the last who locks it", "L5: who unlocks touches the word no more once another can have it",
        smoke: [.depthFirst(preemptions: 3, staleReads: 0), .priorities(seed: 7, depth: 5, runs: 10_000)],
        long: [.depthFirst(preemptions: 4, staleReads: 1), .priorities(seed: 7, depth: 5, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let mutex = model.allocate(ParkingMutex.self)
        mutex.initialize(to: ParkingMutex())
        let users = model.allocate(Atomic<Int>.self)
        users.initialize(to: Atomic(3))
        func leave() -> Bool { users.pointee.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
        for (name, isFair) in [("a", false), ("b", true)] {
            model.thread(name) {
                mutex.pointee.lock()
                let isLast = leave()
                if isFair { mutex.pointee.unlockFairly() } else { mutex.pointee.unlock() }
                if isLast { ModelMemory.freed(at: mutex, byteCount: MemoryLayout<ParkingMutex>.size) }
            }
        }
        model.thread("hurried") {
            guard mutex.pointee.lock(untilNanoseconds: 1_000_000_100) else {
                _ = leave()
                return
            }
            let isLast = leave()
            mutex.pointee.unlock()
            if isLast { ModelMemory.freed(at: mutex, byteCount: MemoryLayout<ParkingMutex>.size) }
        }
    }
}
#endif
