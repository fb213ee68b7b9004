// What this floor does when the system fails it: waits that end without cause, no memory for deferred frees, threads
// that cannot be registered.

import CStillpoint
import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

@Suite struct FailureTests {
    @Test(arguments: [false, true])
    func `a wait that ends without cause is waited for again`(isLasting: Bool) {
        var walk = FailureWalk([.futexWait])
        walk.isLasting = isLasting
        let steps = walk.run(surfacing: { _ in false }) { waitForEverything() }
        #expect(steps.count(of: .futexWait, .borne) == steps.count)
        #expect(steps.count >= 2)
    }

    @Test func `a deadline is waited for to its end whatever wakes the sleeper`() {
        var walk = FailureWalk([.futexWait])
        walk.isLasting = true
        let place = Place()
        walk.run(surfacing: { _ in false }) {
            let deadline = soon()
            let outcome = ParkingLot.park(at: place.address, untilNanoseconds: deadline, validate: { true })
            #expect(outcome == .timedOut)
            #expect(MonotonicClock.nanoseconds() >= deadline)
        }
    }

    @Test func `a free that cannot be deferred is an error, and the queue as it was`() throws {
        let walk = FailureWalk([.memory])
        let steps = walk.run(surfacing: { $0 is PlatformError }) {
            var signal = ServiceSignal()
            try withUnsafeMutablePointer(to: &signal) { signal in
                let queue = UnsafeMutablePointer<DeferredQueue>.allocate(capacity: 1)
                queue.initialize(to: DeferredQueue(signal: signal))
                defer {
                    queue.drain(freeingThread: nil, isStopped: true)
                    let isEmpty = queue.pointee.isEmpty
                    #expect(isEmpty)
                    queue.deinitialize(count: 1)
                    queue.deallocate()
                }
                for index in 0..<600 {  // three chunks
                    let block = try RawMemory.allocate(byteCount: 8)
                    do {
                        try queue.pointee.append(block, byteCount: 8) { block, _ in RawMemory.free(block) }
                    } catch {
                        let (count, byteCount) = (queue.pointee.count, queue.pointee.byteCount)
                        #expect(count == index && byteCount == 8 * index)
                        RawMemory.free(block)
                        throw error
                    }
                }
            }
        }
        #expect(steps.count(of: .memory, .surfaced) == 603)
    }

    /// Before, the process ended without a word.
    @Test func `a thread that cannot be registered as a reader is told so, and can try again`() {
        let steps = FailureWalk([.readerRegistration]).run(surfacing: { $0 is PlatformError }) {
            try onNewThread {
                do throws(PlatformError) { try Reclamation.registerReader() } catch {
                    #expect(error.errorNumber == ENOMEM)
                    #expect(sp_is_reader() == 0)
                    try FailurePlan.withoutPlan { () throws(PlatformError) in try Reclamation.registerReader() }
                    #expect(sp_is_reader() != 0)
                    throw error
                }
                sp_rcu_online()
                sp_rcu_offline()
                try Reclamation.registerReader()
            }
        }
        #expect(steps.count(of: .readerRegistration, .surfaced) == steps.count)
        #expect(steps.count >= 1)
    }

    /// Before, the first wait for any lock of the process asked for the table's memory, and ended the process if
    /// there was none: a lock has no error to throw.
    @Test func `the first wait of a process needs no memory`() async {
        await #expect(processExitsWith: .success) {
            let plan = FailurePlan([.memory], ordinal: 1, isLasting: true)
            plan.withPlan { waitForEverything() }
            precondition(plan.failureCount == 0)
        }
    }
}

/// Two threads meet at each of this floor's means of waiting.
private func waitForEverything() {
    let number = Unprotected(0)
    let lock = Fixture()
    let event = Event()
    let once = Once()
    let ran = Counter()
    lock.mutex.lock()
    lock.readerWriter.lockForWriting()
    let other = Running {
        lock.mutex.withLock { number.value += 1 }
        lock.readerWriter.lockForReading()
        lock.readerWriter.unlockForReading()
        event.wait()
        once.run { ran.add() }
    }
    eventually("the waiter") { lock.mutexWaiterCount == 1 }
    lock.mutex.unlock()
    eventually("the reader") { lock.readerWaiterCount == 1 }
    lock.readerWriter.unlockForWriting()
    once.run {
        event.set()
        usleep(200)
        ran.add()
    }
    other.join()
    #expect(ran.value == 1)
    #expect(number.value == 1)
}

private final class Fixture: @unchecked Sendable {
    let mutex = ParkingMutex()
    let readerWriter = ReaderWriterLock()
    var mutexWaiterCount: Int { withUnsafePointer(to: mutex) { ParkingLot.waiterCount(at: $0) } }
    var readerWaiterCount: Int { withUnsafePointer(to: readerWriter) { ParkingLot.waiterCount(at: $0) } }
}
