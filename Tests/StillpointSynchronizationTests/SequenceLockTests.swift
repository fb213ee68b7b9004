import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Synchronization
import Testing

private final class Fixture: Sendable {
    let lock = SequenceLock()
    let first = Atomic<Int>(0)
    let second = Atomic<Int>(0)

    func write(_ value: Int) {
        lock.write {
            first.store(value, ordering: .releasing)  // [field]
            second.store(-value, ordering: .releasing)  // [field]
        }
    }

    func sum() -> Int {
        lock.read { first.load(ordering: .acquiring) + second.load(ordering: .acquiring) }  // [field]
    }
}

@Suite struct SequenceLockTests {
    @Test func `a reader reads again if and only if something was written`() {
        let fixture = Fixture()
        let before = fixture.lock.beginRead()
        #expect(before == 0)
        #expect(fixture.lock.endRead(before) == true)
        fixture.lock.beginWrite()
        #expect(fixture.lock.endRead(before) == false)
        fixture.lock.abandonWrite()
        #expect(fixture.lock.endRead(before) == true)
        fixture.lock.beginWrite()
        fixture.lock.endWrite()
        #expect(fixture.lock.endRead(before) == false)
        #expect(fixture.lock.beginRead() == 2)
    }

    @Test func `a body runs again until no writer has come between`() {
        let fixture = Fixture()
        var runs = 0
        let result = fixture.lock.read {
            runs += 1
            if runs < 4 { fixture.write(runs) }
            return runs
        }
        #expect(runs == 4 && result == 4)
    }

    @Test func `readers never see half of a write`() {
        let fixture = Fixture()
        let writersAtWork = Counter()
        writersAtWork.add(2)
        runThreads(4) { index in
            if index < 2 {
                for value in 1...10_000 { fixture.write(value * (index + 1)) }
                writersAtWork.add(-1)
            } else {
                repeat {
                    for _ in 0..<100 where fixture.sum() != 0 { Issue.record("half of a write") }
                } while writersAtWork.value > 0
            }
        }
        #expect(fixture.lock.beginRead() == 40_000)
        #expect(fixture.sum() == 0)
    }

    @Test func `a child at rest stays as it is`() {
        let fixture = Fixture()
        #expect(fixture.lock.resetAfterForkInChild() == false)
        fixture.lock.beginWrite()
        #expect(fixture.lock.resetAfterForkInChild() == true)
        #expect(fixture.lock.beginRead() == 2)
    }

    @Test func `the end of a write that has not begun ends the process`() async {
        await #expect(processExitsWith: .failure) { SequenceLock().endWrite() }
        await #expect(processExitsWith: .failure) { SequenceLock().abandonWrite() }
    }
}
