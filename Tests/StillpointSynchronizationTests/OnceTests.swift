import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

private struct Refusal: Error, Equatable { let number: Int }

private final class Fixture: Sendable { let once = Once() }

@Suite struct OnceTests {
    @Test func `a body that fails is tried again and one that succeeds is the last`() {
        let fixture = Fixture()
        var tries = 0
        func attempt() throws(Refusal) {
            tries += 1
            if tries < 5 { throw Refusal(number: tries) }
        }
        for number in 1...4 {
            #expect(throws: Refusal(number: number)) { try fixture.once.run(attempt) }
            #expect(fixture.once.isDone == false)
        }
        var hasRun = false
        #expect(throws: Never.self) { hasRun = try fixture.once.run(attempt) }
        #expect(hasRun && fixture.once.isDone)
        for _ in 0..<3 {
            #expect(throws: Never.self) { hasRun = try fixture.once.run(attempt) }
            #expect(!hasRun)
        }
        #expect(tries == 5)
    }

    @Test func `all threads see what the one that ran it did`() {
        for _ in 0..<50 {
            let fixture = Fixture()
            let (result, runs) = (Unprotected(0), Counter())
            runThreads(4) { _ in
                if fixture.once.run({ result.value = 42 }) { runs.add() }
                #expect(result.value == 42)
            }
            #expect(runs.value == 1)
        }
    }

    @Test func `a thread that waits takes over from one that fails`() {
        let fixture = Fixture()
        let (bodies, refusals, isRunning) = (Unprotected(0), Counter(), Counter())
        let mayFail = Counter()
        let threads = (0..<4).map { index in
            Running {
                do {
                    try fixture.once.run { () throws(Refusal) in
                        bodies.value += 1
                        isRunning.add()
                        eventually { mayFail.value == 1 }
                        if bodies.value < 4 { throw Refusal(number: index) }
                    }
                } catch {
                    refusals.add()
                }
            }
        }
        eventually("three sleepers") {
            isRunning.value == 1
                && withUnsafePointer(to: fixture.once) {
                    let address = UnsafeRawPointer($0)
                    return ParkingLot.waiterCount(at: address) == 3
                }
        }
        mayFail.add()
        for thread in threads { thread.join() }
        #expect(bodies.value == 4)
        #expect(refusals.value == 3)
        #expect(fixture.once.isDone == true)
    }

    @Test func `a body that calls its own once ends the process`() async {
        await #expect(processExitsWith: .failure) {
            let fixture = Fixture()
            fixture.once.run { fixture.once.run {} }
        }
    }
}
