import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

// Each edge alone: one thread writes and lets go, another takes over and reads. They tell each other
// of their progress by relaxed operations, which order nothing, so that ThreadSanitizer reports a
// race if the lock does not order what they do.

private final class Fixture: @unchecked Sendable {
    let mutex = ParkingMutex()
    let recursive = RecursiveMutex()
    let event = Event()
    let once = Once()
    let sequence = SequenceLock()
    let word = Word()
    var value = 0

    func write() { value += 1 }
    /// Loads `value` here: what a closure returns by memory the sanitizer does not see.
    var hasValue: Bool { value > 0 }
}

/// `first` runs to its end in a thread, then `second` in this one.
private func inOrder(
    _ first: @escaping @Sendable (Fixture) -> Void, _ second: (Fixture) -> Void
) {
    let fixture = Fixture()
    let hasEnded = RelaxedFlag()
    let thread = Running {
        first(fixture)
        hasEnded.set()
    }
    eventually { hasEnded.isSet }
    second(fixture)
    thread.join()
    #expect(fixture.hasValue)
}

@Suite struct EdgeTests {
    @Test func `what a holder has written the next holder reads`() {
        inOrder({ $0.mutex.withLock($0.write) }, { $0.mutex.withLock($0.write) })
        inOrder(
            { fixture in
                fixture.mutex.lock()
                fixture.write()
                fixture.mutex.unlockFairly()
            },
            { fixture in
                #expect(fixture.mutex.tryLock() == true)
                fixture.write()
                fixture.mutex.unlock()
            })
        inOrder({ $0.recursive.withLock($0.write) }, { $0.recursive.withLock($0.write) })
        inOrder(
            { fixture in
                LockBits.lock(fixture.word.pointer, shift: 24)
                fixture.write()
                LockBits.unlock(fixture.word.pointer, shift: 24)
            },
            { fixture in
                LockBits.lock(fixture.word.pointer, shift: 24)
                fixture.write()
                LockBits.unlock(fixture.word.pointer, shift: 24)
            })
    }

    @Test(arguments: [false, true])
    func `what a holder has written a thread reads that took over from a waiter`(isFair: Bool) {
        // The waiter's own lock and unlock carry the edge on: by [hand-off], or by the slow [lock].
        let fixture = Fixture()
        LockBits.lock(fixture.word.pointer, shift: 0)
        let waiter = Running {
            LockBits.lock(fixture.word.pointer, shift: 0)
            fixture.write()
            LockBits.unlock(fixture.word.pointer, shift: 0)
        }
        eventually("the waiter") { fixture.word.waiterCount == 1 }
        fixture.write()
        if isFair {
            LockBits.unlockFairly(fixture.word.pointer, shift: 0)
        } else {
            LockBits.unlock(fixture.word.pointer, shift: 0)
        }
        waiter.join()
        #expect(fixture.value == 2)
    }

    @Test func `what was done before an event is read after it`() {
        inOrder(
            { fixture in
                fixture.write()
                fixture.event.set()
            },
            { fixture in
                fixture.event.wait()
                fixture.write()
            })
        inOrder(
            { fixture in
                fixture.event.set()
                fixture.write()
                fixture.event.set()
            },
            { if $0.event.isSet { $0.write() } })
        inOrder(
            { fixture in
                fixture.write()
                fixture.event.set()
            },
            { fixture in
                fixture.event.reset()
                fixture.write()
            })
    }

    @Test func `what a body has done is read by all who find it done, and by the next after a failure`() {
        struct Refusal: Error {}
        inOrder(
            { fixture in fixture.once.run(fixture.write) },
            { fixture in
                fixture.once.run {}
                fixture.write()
            })
        inOrder(
            { fixture in
                _ = try? fixture.once.run { () throws(Refusal) in
                    fixture.write()
                    throw Refusal()
                }
            },
            { fixture in fixture.once.run(fixture.write) })
    }

    @Test func `what a writer has written is read by the next writer and by readers after it`() {
        inOrder({ $0.sequence.write($0.write) }, { $0.sequence.write($0.write) })
        inOrder(
            { $0.sequence.write($0.write) },
            { fixture in
                let sequence = fixture.sequence.beginRead()
                fixture.write()
                #expect(fixture.sequence.endRead(sequence) == true)
            })
    }
}
