import CStillpoint
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

private final class Fixture: @unchecked Sendable {
    let mutex = RecursiveMutex()
    var count = 0
}

@Suite struct RecursiveMutexTests {
    @Test func `its holder locks it again and lets go with the last unlock`() {
        let fixture = Fixture()
        #expect(fixture.mutex.isLockedByCurrentThread == false)
        #expect(fixture.mutex.ownerIdentity == 0)
        fixture.mutex.lock()
        #expect(fixture.mutex.ownerIdentity == UInt(sp_os_thread_identity()))
        #expect(fixture.mutex.recursionLevel == 0)
        fixture.mutex.lock()
        #expect(fixture.mutex.recursionLevel == 1)
        #expect(fixture.mutex.tryLock() == true)
        #expect(fixture.mutex.lock(untilNanoseconds: 0) == true)
        #expect(fixture.mutex.recursionLevel == 3)
        for _ in 0..<3 {
            fixture.mutex.unlock()
            #expect(fixture.mutex.isLockedByCurrentThread == true)
        }
        fixture.mutex.unlock()
        #expect(fixture.mutex.ownerIdentity == 0)
        #expect(fixture.mutex.recursionLevel == 0)
    }

    @Test func `others stay out until the last unlock`() {
        let fixture = Fixture()
        fixture.mutex.lock()
        fixture.mutex.lock()
        for _ in 0..<2 {
            Running {
                #expect(fixture.mutex.isLockedByCurrentThread == false)
                #expect(fixture.mutex.tryLock() == false)
                #expect(fixture.mutex.lock(untilNanoseconds: soon()) == false)
            }.join()
            fixture.mutex.unlock()
        }
        Running {
            #expect(fixture.mutex.tryLock() == true)
            fixture.mutex.unlock()
        }.join()
    }

    @Test func `five threads count at every depth`() {
        let fixture = Fixture()
        runThreads(5) { index in
            for iteration in 0..<3000 {
                let depth = 1 + iteration % 4
                for _ in 0..<depth { fixture.mutex.lock() }
                fixture.count += 1
                for _ in 0..<depth { fixture.mutex.unlock() }
            }
        }
        #expect(fixture.mutex.withLock { fixture.count } == 15_000)
        #expect(fixture.mutex.ownerIdentity == 0)
    }

    @Test func `unlocking what another holds ends the process`() async {
        await #expect(processExitsWith: .failure) {
            let fixture = Fixture()
            fixture.mutex.lock()
            Running { fixture.mutex.unlock() }.join()
        }
    }
}
