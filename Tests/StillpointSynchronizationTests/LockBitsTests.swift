import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Synchronization
import Testing

@Suite struct LockBitsTests {
    @Test func `the word's other bits are kept at every shift`() {
        for shift in UInt32(0)...30 {
            for others in [UInt32(0), .max, 0x5555_5555, 0xAAAA_AAAA] {
                let other = others & ~(3 << shift)
                let word = Word(other)
                #expect(!LockBits.isLocked(word.pointer, shift: shift))
                #expect(LockBits.tryLock(word.pointer, shift: shift))
                #expect(word.value == other | (1 << shift))
                #expect(LockBits.isLocked(word.pointer, shift: shift))
                #expect(!LockBits.tryLock(word.pointer, shift: shift))
                LockBits.unlock(word.pointer, shift: shift)
                #expect(word.value == other)
                #expect(LockBits.lock(word.pointer, shift: shift) == .locked)
                LockBits.unlockFairly(word.pointer, shift: shift)
                #expect(word.value == other)
            }
        }
    }

    @Test(arguments: [UInt32(0), 24, 30])
    func `a waiter parks and is handed the lock with the other bits kept`(shift: UInt32) {
        let other = UInt32(0x5A5A_5A5A) & ~(3 << shift)
        let word = Word(other)
        LockBits.lock(word.pointer, shift: shift)
        let waiter = Running {
            #expect(LockBits.lock(word.pointer, shift: shift) == .handedOver)
            #expect(word.value == other | (1 << shift))
            LockBits.unlock(word.pointer, shift: shift)
        }
        eventually("the waiter") { word.waiterCount == 1 && word.value == other | (3 << shift) }
        LockBits.unlockFairly(word.pointer, shift: shift)
        waiter.join()
        #expect(word.value == other)
    }

    @Test func `threads that count do not disturb one that changes the other bits`() {
        // Bits 0...23 are added to, bit 31 is flipped: by one thread, with read-modify-write.
        let word = Word(0)
        let total = Unprotected(0)
        let shift: UInt32 = 24
        runThreads(5) { index in
            for iteration in 0..<8000 {
                if index == 4 {
                    word.pointer.pointee.add(1, ordering: .relaxed)
                    word.pointer.pointee.bitwiseXor(1 << 31, ordering: .relaxed)
                    continue
                }
                LockBits.lock(word.pointer, shift: shift)
                total.value += 1
                if iteration % 2000 == 0 { sleepMilliseconds(2) }
                if iteration % 3 == 0 {
                    LockBits.unlockFairly(word.pointer, shift: shift)
                } else {
                    LockBits.unlock(word.pointer, shift: shift)
                }
            }
        }
        #expect(total.value == 32_000)
        #expect(word.value == 8000)
    }

    @Test func `the outcome tells a lock after a sleep from one without`() {
        let word = Word()
        LockBits.lock(word.pointer, shift: 24)
        let (sleeps, outcome) = (Counter(), Log())
        let waiter = Running {
            outcome.add(
                "\(LockBits.lock(word.pointer, shift: 24, beforeSleep: { sleeps.add() }))")
            LockBits.unlock(word.pointer, shift: 24)
        }
        eventually { word.waiterCount == 1 && sleeps.value == 1 }
        // Woken for nothing: it sleeps again, and has slept, whoever gives it the lock then.
        #expect(ParkingLot.unparkAll(at: UnsafeRawPointer(word.pointer)) == 1)
        eventually { word.waiterCount == 1 && sleeps.value == 2 }
        LockBits.unlock(word.pointer, shift: 24)
        waiter.join()
        #expect(["lockedAfterSleep", "handedOver"].contains(outcome.all.first))
        #expect(word.value == 0)
    }

    // MARK: Words that move

    @Test func `a try that sleeps is over unless the lock was handed to it`() {
        let word = Word()
        var since: UInt64 = 0
        #expect(LockBits.lockOrRetry(word.pointer, shift: 24, waitingSince: &since) == .locked)
        #expect(since == 0)
        let log = Log()
        let waiter = Running {
            var since: UInt64 = 0
            var outcome = LockBits.lockOrRetry(word.pointer, shift: 24, waitingSince: &since)
            log.add("\(outcome)")
            let first = since
            #expect(first != 0)
            outcome = LockBits.lockOrRetry(word.pointer, shift: 24, waitingSince: &since)
            log.add("\(outcome)")
            #expect(since == first)
            LockBits.unlock(word.pointer, shift: 24)
        }
        eventually { word.waiterCount == 1 }
        ParkingLot.unparkAll(where: { $0 == UnsafeRawPointer(word.pointer) })
        eventually { log.all == ["mustRetry"] && word.waiterCount == 1 }
        LockBits.unlockFairly(word.pointer, shift: 24)
        waiter.join()
        #expect(log.all == ["mustRetry", "handedOver"])
        #expect(word.value == 0)
    }

    @Test func `a locked word may move while threads wait for it`() {
        let slot = Slot(Word(0x00AB_CDEF))
        let shift: UInt32 = 24
        let total = Unprotected(0)
        let old = slot.word
        LockBits.lock(old.pointer, shift: shift)
        let waiters = (0..<3).map { _ in
            Running {
                var since: UInt64 = 0
                while true {
                    let outcome = LockBits.lockOrRetry(
                        slot.word.pointer, shift: shift, waitingSince: &since)
                    if outcome.isLocked { break }
                }
                total.value += 1
                LockBits.unlock(slot.word.pointer, shift: shift)
            }
        }
        eventually { old.waiterCount == 3 }
        // Whoever moves it leaves a word behind that nobody may lock or read any more.
        slot.word = Word(old.value)
        old.pointer.pointee.store(.max, ordering: .relaxed)
        #expect(ParkingLot.unparkAll(at: UnsafeRawPointer(old.pointer)) == 3)
        LockBits.unlock(slot.word.pointer, shift: shift)
        for waiter in waiters { waiter.join() }
        #expect(total.value == 3)
        #expect(slot.word.value == 0x00AB_CDEF)
        #expect(old.value == .max)
    }

    @Test func `unlocking what is not locked ends the process`() async {
        await #expect(processExitsWith: .failure) {
            LockBits.unlock(Word(0xFCFF_FFFF).pointer, shift: 24)
        }
        await #expect(processExitsWith: .failure) {
            LockBits.unlockFairly(Word(0x0200_0000).pointer, shift: 24)
        }
    }
}

/// Where a word is now.
private final class Slot: Sendable {
    private let address: Atomic<UInt>
    init(_ word: Word) { address = Atomic(UInt(bitPattern: word.pointer)) }
    var word: Word {
        get { Word(at: .init(bitPattern: address.load(ordering: .acquiring))!) }
        set { address.store(UInt(bitPattern: newValue.pointer), ordering: .releasing) }
    }
}
