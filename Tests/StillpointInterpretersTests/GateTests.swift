import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointInterpreters

@Suite struct GateTests {
    @Test func `nobody enters a gate that is closing`() throws {
        let gate = try Gate.make()
        #expect(gate.pointee.enter() == true)
        #expect(gate.pointee.count() == 1)
        #expect(gate.pointee.beginClosing() == true)
        #expect(gate.pointee.beginClosing() == false)
        #expect(gate.pointee.enter() == false)
        gate.pointee.enterAgain()  // who is inside may
        #expect(gate.pointee.count() == 2)
        Gate.leave(gate)
        Gate.leave(gate)
        Gate.waitUntilEmpty(gate)
        #expect(gate.pointee.isClosing() == true)
        Gate.destroy(gate)
    }

    @Test func `a gate in use does not close at once, an unused one does`() throws {
        let gate = try Gate.make()
        #expect(gate.pointee.enter() == true)
        #expect(gate.pointee.tryClose() == false)
        #expect(gate.pointee.isClosing() == false)
        Gate.leave(gate)
        #expect(gate.pointee.tryClose() == true)
        #expect(gate.pointee.enter() == false)
        Gate.destroy(gate)
    }

    @Test func `closing waits until everybody has left`() throws {
        nonisolated(unsafe) let gate = try Gate.make()
        let threads = 4
        let started = (0..<threads).map { _ in
            #expect(gate.pointee.enter() == true)
            return Running {
                for _ in 0..<1000 {
                    gate.pointee.enterAgain()
                    Gate.leave(gate)
                }
                Gate.leave(gate)
            }
        }
        #expect(gate.pointee.beginClosing() == true)
        Gate.waitUntilEmpty(gate)
        #expect(gate.pointee.count() == 0)
        for thread in started { thread.join() }
        Gate.destroy(gate)
    }
}
