import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

private final class Fixture: Sendable { let event = Event() }

private func waiterCount(of fixture: Fixture) -> Int {
    withUnsafePointer(to: fixture.event) { ParkingLot.waiterCount(at: UnsafeRawPointer($0)) }
}

@Suite struct EventTests {
    @Test func `an event that is set lets everybody through until it is reset`() {
        let fixture = Fixture()
        #expect(fixture.event.isSet == false)
        #expect(fixture.event.wait(untilNanoseconds: 0) == false)
        fixture.event.set()
        fixture.event.set()
        #expect(fixture.event.isSet == true)
        fixture.event.wait()
        #expect(fixture.event.wait(untilNanoseconds: 0) == true)
        fixture.event.reset()
        #expect(fixture.event.isSet == false)
        #expect(fixture.event.wait(untilNanoseconds: soon()) == false)
    }

    @Test func `who sets wakes all and they see what was done before`() {
        let fixture = Fixture()
        let message = Unprotected(0)
        let through = Counter()
        let waiters = (0..<4).map { _ in
            Running {
                fixture.event.wait()
                #expect(message.value == 42)
                through.add()
            }
        }
        eventually { waiterCount(of: fixture) == 4 }
        #expect(through.value == 0)
        message.value = 42
        fixture.event.set()
        for waiter in waiters { waiter.join() }
        #expect(through.value == 4)
    }

    @Test func `a reset that follows at once does not send the waiters back`() {
        let fixture = Fixture()
        for _ in 0..<200 {
            let waiters = (0..<2).map { _ in Running { fixture.event.wait() } }
            eventually { waiterCount(of: fixture) == 2 }
            fixture.event.set()
            fixture.event.reset()
            for waiter in waiters { waiter.join() }
            #expect(fixture.event.isSet == false)
        }
    }

    @Test func `a wake that means something else does not pass for the event`() {
        let fixture = Fixture()
        let isThrough = Counter()
        let waiter = Running {
            fixture.event.wait()
            isThrough.add()
        }
        for _ in 0..<20 {
            eventually { waiterCount(of: fixture) == 1 }
            withUnsafePointer(to: fixture.event) {
                _ = ParkingLot.unparkAll(at: UnsafeRawPointer($0))
            }
        }
        eventually { waiterCount(of: fixture) == 1 }
        #expect(isThrough.value == 0)
        fixture.event.set()
        waiter.join()
    }

    @Test func `a waiter that gives up leaves the event to the others`() {
        let fixture = Fixture()
        let waiter = Running { fixture.event.wait() }
        eventually { waiterCount(of: fixture) == 1 }
        #expect(fixture.event.wait(untilNanoseconds: soon()) == false)
        #expect(waiterCount(of: fixture) == 1)
        fixture.event.set()
        waiter.join()
    }
}
