#if ModelCheck
// The lock in two bits of a word: what LockBits.swift adds to the mutex's protocol, which has its models in
// MutexModels.swift. L3, L5, L6, [lock] and [hand-off] of LockBits+SlowPath.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var lockBitsModels: [ProtocolModel] {
    [neighbours, lockBitsOfThree, patienceOverTries, movedWhileHeld, movedAfterHandOff, freedWord]
}

private let shift: UInt32 = 2
private typealias Word = UnsafeMutablePointer<Atomic<UInt32>>

extension Model {
    /// A word that holds 1 outside of the lock's bits; L1 is looked at after every step.
    fileprivate func allocateWord() -> (Word, UnsafeMutablePointer<Int>) {
        let word = allocate(Atomic<UInt32>.self)
        word.initialize(to: Atomic(1))
        name(word, "word")
        invariant("L1") {
            guard let count = ParkingInspection.waiterCount(at: word), count > 0 else { return true }
            return bits(word) & LockState.parked != 0
        }
        return (word, allocate(Int.self))
    }
}

private func bits(_ word: Word) -> UInt8 {
    UInt8(truncatingIfNeeded: (word.pointee.load(ordering: .relaxed) >> shift) & 3)
}

private var neighbours: ProtocolModel {
    ProtocolModel(
        "lock bits: the word's other bits", "they change at any time, and neither loses the other's change; [lock]",
        smoke: [.depthFirst(preemptions: 2, staleReads: 1), .priorities(seed: 1, depth: 3, runs: 5000)],
        long: [.depthFirst(preemptions: 4, staleReads: 1), .priorities(seed: 1, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let (word, data) = model.allocateWord()
        for name in ["a", "b"] {
            model.thread(name) {
                LockBits.lock(word, shift: shift)
                data.pointee += 1
                LockBits.unlock(word, shift: shift)
            }
        }
        model.thread("neighbour") {
            word.pointee.wrappingAdd(0x100, ordering: .relaxed)
            word.pointee.bitwiseXor(1, ordering: .relaxed)
        }
        model.finally {
            model.expect(data.pointee == 2, "two held the lock at once")
            model.expect(word.pointee.load(ordering: .relaxed) == 0x100, "the word is not as its owners left it")
        }
    }
}

private var lockBitsOfThree: ProtocolModel {
    ProtocolModel(
        "lock bits: three threads, fair and unfair",
        "one holds it at a time; L1 to L3; [lock] [hand-off]; the outcomes",
        smoke: [.depthFirst(preemptions: 2, staleReads: 1), .priorities(seed: 2, depth: 4, runs: 5000)],
        long: [.depthFirst(preemptions: 4, staleReads: 1), .priorities(seed: 2, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let (word, data) = model.allocateWord()
        for (name, isFair) in [("a", false), ("b", true), ("c", false)] {
            model.thread(name) {
                var hasSlept = false
                let outcome = LockBits.lock(word, shift: shift, beforeSleep: { hasSlept = true })
                model.expect(outcome.isLocked && hasSlept == (outcome != .locked), "the outcome is \(outcome)")
                data.pointee += 1
                if isFair { LockBits.unlockFairly(word, shift: shift) } else { LockBits.unlock(word, shift: shift) }
            }
        }
        model.finally {
            model.expect(data.pointee == 3, "two held the lock at once")
            model.expect(word.pointee.load(ordering: .relaxed) == 1, "the lock is not free in the end")
        }
    }
}

private var patienceOverTries: ProtocolModel {
    ProtocolModel(
        "lock bits: patience over several tries", "L4 for who looks for the word again after each sleep",
        smoke: [.depthFirst(preemptions: 3, staleReads: 0), .priorities(seed: 3, depth: 4, runs: 5000)],
        long: [.depthFirst(preemptions: 5, staleReads: 1), .priorities(seed: 3, depth: 5, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        model.clockJumpNanoseconds = ParkingLot.patienceNanoseconds
        let (word, data) = model.allocateWord()
        _ = LockBits.tryLock(word, shift: shift)
        let since = Ghost(UInt64.max), isDone = Ghost(false)
        model.thread("waiter") {
            var waitingSince: UInt64 = 0
            while !LockBits.lockOrRetry(word, shift: shift, waitingSince: &waitingSince, beforeSleep: {
                if since.value == .max { since.value = MonotonicClock.nanoseconds() }
            }).isLocked {}
            data.pointee += 1
            isDone.value = true
            LockBits.unlock(word, shift: shift)
        }
        model.thread("holder") {
            data.pointee += 1
            for _ in 0..<2 {
                let now = MonotonicClock.nanoseconds()
                let mustHandOver = (ParkingInspection.waiterCount(at: word) ?? 0) > 0 && now >= since.value
                    && now - since.value >= ParkingLot.patienceNanoseconds
                LockBits.unlock(word, shift: shift)
                guard LockBits.tryLock(word, shift: shift) else { return }
                model.expect(!mustHandOver || isDone.value, "L4: the lock was free before the waiter had it")
            }
            LockBits.unlock(word, shift: shift)
        }
        model.finally { model.expect(bits(word) == 0, "the lock is not free in the end") }
    }
}

// MARK: A word that moves

/// Two places for one word. It is in the second when `place` is 1.
private struct MovingWord {
    let first: Word
    let second: Word
    let place: Word
    /// Whether the waiter is queued, or past that: it touches the word no more until it has looked where that is.
    let isAsleep: Word

    init(_ model: Model) {
        (first, second) = (model.allocate(Atomic<UInt32>.self), model.allocate(Atomic<UInt32>.self))
        (place, isAsleep) = (model.allocate(Atomic<UInt32>.self), model.allocate(Atomic<UInt32>.self))
        first.initialize(to: Atomic(1 << shift))
        model.name(first, "word")
        model.name(second, "moved word")
        model.name(place, "place")
        model.name(isAsleep, "isAsleep")
    }

    var current: Word { place.pointee.load(ordering: .acquiring) == 0 ? first : second }

    func lock() -> LockOutcome {
        var waitingSince: UInt64 = 0
        while true {
            let outcome = LockBits.lockOrRetry(
                current, shift: shift, waitingSince: &waitingSince,
                beforeSleep: { isAsleep.pointee.store(1, ordering: .releasing) })
            if outcome != .mustRetry { return outcome }
        }
    }

    func waitForSleep() {
        while isAsleep.pointee.load(ordering: .acquiring) == 0 { spinHint() }
    }

    /// Moves the word, as a pause does that finds all others asleep.
    func move() {
        let value = first.pointee.load(ordering: .relaxed)
        second.pointee.store(value & ~(2 << shift), ordering: .relaxed)
        ModelMemory.freed(at: first, byteCount: 4)
        place.pointee.store(1, ordering: .releasing)
    }
}

private var movedWhileHeld: ProtocolModel {
    ProtocolModel(
        "lock bits: the word moves under a sleeper",
        "L6: who was woken looks for the word again, and never reads the old one",
        smoke: [.depthFirst(preemptions: 3, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
    ) { model in
        Specification.take(.bucket)
        let word = MovingWord(model)
        let data = model.allocate(Int.self)
        model.thread("waiter") {
            model.expect(word.lock().isLocked, "not locked")
            data.pointee += 1
            LockBits.unlock(word.current, shift: shift)
        }
        model.thread("mover") {
            word.waitForSleep()
            data.pointee += 1
            word.move()
            ParkingLot.unparkAll(at: word.first)
            LockBits.unlock(word.current, shift: shift)
        }
        model.finally { model.expect(data.pointee == 2 && bits(word.current) == 0, "two held it, or it is not free") }
    }
}

private var movedAfterHandOff: ProtocolModel {
    ProtocolModel(
        "lock bits: the word moves after a hand-off", "L3, L6: who was handed the lock holds it wherever the word is",
        smoke: [.depthFirst(preemptions: 3, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
    ) { model in
        Specification.take(.bucket)
        let word = MovingWord(model)
        let data = model.allocate(Int.self)
        model.thread("waiter") {
            model.expect(word.lock() == .handedOver, "L3: not handed over")
            data.pointee += 1
            while word.place.pointee.load(ordering: .acquiring) == 0 { spinHint() }
            LockBits.unlock(word.current, shift: shift)
        }
        model.thread("holder") {
            data.pointee += 1
            word.waitForSleep()
            LockBits.unlockFairly(word.first, shift: shift)
            word.move()
        }
        model.finally { model.expect(data.pointee == 2 && bits(word.current) == 0, "two held it, or it is not free") }
    }
}

private var freedWord: ProtocolModel {
    ProtocolModel(
        "lock bits: freed by the last who locks it",
        "L5: who unlocks touches the word no more once another can have it",
        smoke: [.depthFirst(preemptions: 3, staleReads: 1)], long: [.depthFirst(preemptions: 5, staleReads: 1)]
    ) { model in
        Specification.take(.bucket)
        let word = model.allocate(Atomic<UInt32>.self)
        let users = model.allocate(Int.self)
        users.pointee = 2
        for (name, isFair) in [("a", false), ("b", true)] {
            model.thread(name) {
                LockBits.lock(word, shift: shift)
                users.pointee -= 1
                let isLast = users.pointee == 0
                if isFair { LockBits.unlockFairly(word, shift: shift) } else { LockBits.unlock(word, shift: shift) }
                if isLast { ModelMemory.freed(at: word, byteCount: 4) }
            }
        }
    }
}
#endif
