import CStillpoint
import Glibc
import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointSynchronization

/// What the child and its parent share before the fork.
private final class Fixture: Sendable {
    let mutex = ParkingMutex()
    let event = Event()
    let once = Once()
    let recursive = RecursiveMutex()
    let readerWriter = ReaderWriterLock()
    let sequence = SequenceLock()
}

/// What the child does: each step that fails gives its number. It makes no thread and ends without
/// exit handlers.
private func childStatus(_ fixture: Fixture, _ place: Place) -> CInt {
    ParkingLot.resetAfterForkInChild()
    if ParkingLot.waiterCount(at: place.address) != 0 { return 1 }
    // The parent's waiters are forgotten: the mutex is unlocked without a hand-over to a thread
    // that is not there.
    fixture.mutex.unlockFairly()
    if fixture.mutex.rawByte != 0 { return 2 }
    fixture.mutex.lock()
    let soon = MonotonicClock.nanoseconds() + 1_000_000
    if fixture.mutex.lock(untilNanoseconds: soon) { return 3 }
    fixture.mutex.unlock()
    fixture.event.resetAfterForkInChild()
    if fixture.event.wait(untilNanoseconds: soon) { return 4 }
    fixture.event.set()
    fixture.event.wait()
    fixture.once.resetAfterForkInChild()
    if !fixture.once.run({}) { return 5 }
    fixture.recursive.resetAfterForkInChild()
    fixture.recursive.lock()
    fixture.recursive.unlock()
    fixture.readerWriter.resetAfterForkInChild()
    fixture.readerWriter.lockForWriting()
    fixture.readerWriter.unlockForWriting()
    if !fixture.sequence.resetAfterForkInChild() { return 6 }
    if fixture.sequence.beginRead() != 2 { return 7 }
    // Whatever the table's locks were at the fork, they are free: a wait ends by its deadline.
    let outcome = ParkingLot.park(
        at: place.address, untilNanoseconds: MonotonicClock.nanoseconds() + 1_000_000,
        validate: { true })
    if outcome != .timedOut { return 8 }
    return 0
}

@Suite struct ForkTests {
    @Test func `a child forgets the waiters and the holders that it does not have`() {
        let fixture = Fixture()
        let place = Place()
        fixture.mutex.lock()
        let isHeld = Counter()
        let release = Gate()
        // One thread holds all, others wait: none of them lives in the child.
        let holder = Running {
            fixture.recursive.lock()
            fixture.readerWriter.lockForWriting()
            fixture.sequence.beginWrite()
            fixture.once.run {
                isHeld.add()
                release.event.wait()
            }
            fixture.sequence.endWrite()
            fixture.readerWriter.unlockForWriting()
            fixture.recursive.unlock()
        }
        let waiters = [
            Running { _ = ParkingLot.park(at: place.address, validate: { true }) },
            Running { fixture.mutex.withLock {} },
            Running { fixture.event.wait() },
        ]
        eventually("the holder") { isHeld.value == 1 }
        eventually("the waiter") { ParkingLot.waiterCount(at: place.address) == 1 }
        eventually("the locker") { fixture.mutex.rawByte == 3 }

        ParkingLot.prepareForFork()
        let child = sp_fork()
        if child == 0 { _exit(childStatus(fixture, place)) }
        #expect(child > 0)
        var status: CInt = 0
        #expect(waitpid(child, &status, 0) == child)
        #expect(status == 0, "the child's exit status is \(status >> 8), its signal \(status & 127)")

        // The parent has lost nothing.
        release.event.set()
        #expect(ParkingLot.unparkAll(at: place.address) == 1)
        fixture.mutex.unlock()
        fixture.event.set()
        holder.join()
        for waiter in waiters { waiter.join() }
        #expect(fixture.mutex.rawByte == 0)
    }
}

private final class Gate: Sendable { let event = Event() }
