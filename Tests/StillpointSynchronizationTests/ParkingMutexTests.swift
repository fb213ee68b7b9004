import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

private final class Guarded: @unchecked Sendable {
    let mutex = ParkingMutex()
    var count = 0
}

/// A mutex that is not the first thing in its record.
private struct Record: ~Copyable {
    let other = Atomic<UInt8>(0xFF)
    let mutex = ParkingMutex()
}

extension Place {
    fileprivate init(_ record: consuming Record) {
        let memory = UnsafeMutablePointer<Record>.allocate(capacity: 1)
        memory.initialize(to: record)
        keepForever(memory)
        self.init(at: UnsafeRawPointer(memory))
    }

    fileprivate func pointee(_ body: (borrowing Record) -> Void) {
        body(address.assumingMemoryBound(to: Record.self).pointee)
    }
}

/// The mutex's key in the parking lot is its own address.
private func waiterCount(of guarded: Guarded) -> Int {
    withUnsafePointer(to: guarded.mutex) { ParkingLot.waiterCount(at: UnsafeRawPointer($0)) }
}

@Suite struct ParkingMutexTests {
    @Test func `it is one byte that is 0 when free and 1 when held`() {
        #expect(MemoryLayout<ParkingMutex>.size == 1)
        let guarded = Guarded()
        #expect(guarded.mutex.rawByte == 0 && !guarded.mutex.isLocked)
        guarded.mutex.lock()
        #expect(guarded.mutex.rawByte == 1 && guarded.mutex.isLocked)
        #expect(guarded.mutex.tryLock() == false)
        guarded.mutex.unlock()
        #expect(guarded.mutex.rawByte == 0)
        #expect(guarded.mutex.tryLock() == true)
        guarded.mutex.unlockFairly()
        #expect(guarded.mutex.rawByte == 0)
        #expect(guarded.mutex.lock(untilNanoseconds: 0) == true)
        #expect(guarded.mutex.lock(untilNanoseconds: 0) == false)
        #expect(guarded.mutex.rawByte & 1 == 1)
        guarded.mutex.unlock()
        #expect(guarded.mutex.rawByte == 0)
        #expect(guarded.mutex.withLock { guarded.mutex.rawByte } == 1)
    }

    @Test func `a waiter parks and finds the byte as its own alone`() {
        let guarded = Guarded()
        guarded.mutex.lock()
        #expect(guarded.mutex.rawByte == 1)
        let waiter = Running {
            guarded.mutex.lock()
            #expect(guarded.mutex.rawByte == 1)
            guarded.mutex.unlock()
        }
        eventually("the waiter") { guarded.mutex.rawByte == 3 && waiterCount(of: guarded) == 1 }
        guarded.mutex.unlock()
        waiter.join()
        #expect(guarded.mutex.rawByte == 0)
    }

    @Test func `the lock of a record behind a pointer is known by its own address`() {
        let record = Place(Record())
        let mutex = record.address + 1
        record.pointee { $0.mutex.lock() }
        let waiter = Running {
            record.pointee { $0.mutex.lock() }
            record.pointee { $0.mutex.unlock() }
        }
        eventually("the waiter") { ParkingLot.waiterCount(at: mutex) == 1 }
        record.pointee { $0.mutex.unlock() }
        waiter.join()
    }

    @Test func `five threads count to fifty thousand`() {
        let guarded = Guarded()
        runThreads(5) { _ in
            for _ in 0..<10_000 {
                guarded.mutex.lock()
                guarded.count += 1
                guarded.mutex.unlock()
            }
        }
        #expect(guarded.count == 50_000)
        #expect(guarded.mutex.rawByte == 0)
    }

    @Test func `five threads count slowly and hand over`() {
        let guarded = Guarded()
        runThreads(5) { _ in
            for iteration in 0..<100 {
                guarded.mutex.lock()
                if iteration % 7 == 0 { sleepMilliseconds(2) }
                guarded.count += 1
                guarded.mutex.unlock()
            }
        }
        #expect(guarded.count == 500)
        #expect(guarded.mutex.rawByte == 0)
    }

    /// The holder lets go by `release`; the one waiter, queued, keeps the lock until told.
    private func lockStaysLocked(_ release: (borrowing ParkingMutex) -> Void) -> Bool {
        let guarded = Guarded()
        let mayUnlock = Counter()
        guarded.mutex.lock()
        let waiter = Running {
            guarded.mutex.lock()
            guarded.count += 1
            eventually { mayUnlock.value == 1 }
            guarded.mutex.unlock()
        }
        eventually("the waiter") { waiterCount(of: guarded) == 1 }
        guarded.count = 10
        release(guarded.mutex)
        // No moment in between in which the lock is free: this thread, awake and first to ask, does
        // not get it.
        let wasTaken = guarded.mutex.tryLock()
        if wasTaken { guarded.mutex.unlock() }
        mayUnlock.add()
        waiter.join()
        #expect(guarded.count == 11)
        #expect(guarded.mutex.rawByte == 0)
        return !wasTaken
    }

    @Test func `a fair unlock hands the lock to the waiter`() {
        for _ in 0..<20 { #expect(lockStaysLocked { $0.unlockFairly() }) }
    }

    @Test func `a waiter of a millisecond is handed the lock`() {
        for _ in 0..<20 {
            #expect(
                lockStaysLocked {
                    sleepMilliseconds(2)
                    $0.unlock()
                })
        }
    }

    @Test func `fair unlocks serve the waiters in the order of their coming`() {
        let guarded = Guarded()
        let log = Log()
        guarded.mutex.lock()
        var threads: [Running] = []
        for index in 0..<4 {
            threads.append(
                Running {
                    guarded.mutex.lock()
                    log.add("\(index)")
                    guarded.mutex.unlockFairly()
                })
            eventually { waiterCount(of: guarded) == index + 1 }
        }
        guarded.mutex.unlockFairly()
        for thread in threads { thread.join() }
        #expect(log.all == ["0", "1", "2", "3"])
        #expect(guarded.mutex.rawByte == 0)
    }

    @Test func `a lock with a deadline gives up and leaves the lock to its holder`() {
        let guarded = Guarded()
        guarded.mutex.lock()
        let waiter = Running {
            let deadline = MonotonicClock.nanoseconds() + 5_000_000
            #expect(guarded.mutex.lock(untilNanoseconds: deadline) == false)
            #expect(MonotonicClock.nanoseconds() >= deadline)
        }
        waiter.join()
        #expect(waiterCount(of: guarded) == 0)
        #expect(guarded.mutex.isLocked == true)
        guarded.mutex.unlock()
        #expect(guarded.mutex.rawByte == 0)
    }

    @Test func `deadlines and hand-overs may race`() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        let guarded = Guarded()
        let taken = Counter()
        runThreads(4) { index in
            var random = SplitMix64(seed: seed &+ UInt64(index))
            for _ in 0..<1000 {
                let pause = UInt64.random(in: 0..<200_000, using: &random)
                guard guarded.mutex.lock(untilNanoseconds: MonotonicClock.nanoseconds() + pause)
                else { continue }
                guarded.count += 1
                taken.add()
                if Int.random(in: 0..<16, using: &random) == 0 { usleep(100) }
                if Bool.random(using: &random) {
                    guarded.mutex.unlock()
                } else {
                    guarded.mutex.unlockFairly()
                }
            }
        }
        #expect(guarded.count == taken.value)
        #expect(guarded.mutex.isLocked == false)
        #expect(waiterCount(of: guarded) == 0)
    }

    @Test func `a thread says so before it sleeps and only then`() {
        let guarded = Guarded()
        let sleeps = Counter()
        #expect(guarded.mutex.lock(untilNanoseconds: nil, beforeSleep: { sleeps.add() }) == true)
        #expect(sleeps.value == 0)
        let waiter = Running {
            #expect(guarded.mutex.lock(untilNanoseconds: nil, beforeSleep: { sleeps.add() }) == true)
            guarded.mutex.unlock()
        }
        eventually { sleeps.value == 1 }
        guarded.mutex.unlockFairly()
        waiter.join()
        #expect(sleeps.value == 1)
    }

    @Test func `unlocking what is not locked ends the process`() async {
        await #expect(processExitsWith: .failure) {
            let mutex = ParkingMutex()
            mutex.unlock()
        }
        await #expect(processExitsWith: .failure) {
            let mutex = ParkingMutex()
            mutex.withLock { mutex.unlockFairly() }
        }
    }
}
