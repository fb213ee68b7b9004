// Whose turn it is to stop: first come, first served, but a stop that overlaps nothing before it need not wait.
// W1 and W2 of StopTheWorld.swift live here. All functions but `waitForTurn` have the roll held.

internal import StillpointPlatform

extension StopTheWorld {
    /// Whether a stop over `scope` overlaps neither an active stop nor one that came before it: all that wait,
    /// or those in front of `end`.
    static func canBegin(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        before end: UnsafeMutablePointer<StopRequest>?
    ) -> Bool {
        if unsafe world.pointee.stop.isActive { return false }
        if let scope = unsafe scope {
            if unsafe scope.pointee.stop.isActive { return false }
        } else if unsafe world.pointee.rosterStopCount > 0 {
            return false
        }
        var next = unsafe world.pointee.firstRequest
        while let request = unsafe next, unsafe request != end {
            let overlaps = unsafe scope == nil || request.pointee.scope == nil
                || request.pointee.scope == scope
            if overlaps { return false }
            unsafe next = request.pointee.next
        }
        return true
    }

    /// Whether a stop of this one interpreter waits for its turn.
    static func isRequested(_ roster: UnsafeMutablePointer<Roster>) -> Bool {
        var next = unsafe roster.pointee.world.pointee.firstRequest
        while let request = unsafe next {
            if unsafe request.pointee.scope == roster { return true }
            unsafe next = request.pointee.next
        }
        return false
    }

    /// Makes a stop active.
    static func grant(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?, to requester: UInt
    ) {
        if let scope = unsafe scope {
            unsafe scope.pointee.stop.isActive = true
            unsafe scope.pointee.stop.requester = requester
            unsafe world.pointee.rosterStopCount = world.pointee.rosterStopCount + 1
        } else {
            assert(unsafe world.pointee.rosterStopCount == 0, "W2")
            unsafe world.pointee.stop.isActive = true
            unsafe world.pointee.stop.requester = requester
        }
    }

    static func append(
        _ request: UnsafeMutablePointer<StopRequest>, to world: UnsafeMutablePointer<World>
    ) {
        guard var last = unsafe world.pointee.firstRequest else {
            unsafe world.pointee.firstRequest = request
            return
        }
        while let next = unsafe last.pointee.next { unsafe last = next }
        unsafe last.pointee.next = request
    }

    /// Gives the turn to every waiting stop that can begin now.
    static func grantNext(_ world: UnsafeMutablePointer<World>) {
        var previous: UnsafeMutablePointer<StopRequest>?
        var next = unsafe world.pointee.firstRequest
        while let request = unsafe next {
            unsafe next = request.pointee.next
            guard unsafe recheck("turn.next", canBegin(world, scope: request.pointee.scope, before: request)) else {
                unsafe previous = request
                continue
            }
            if let previous = unsafe previous {
                unsafe previous.pointee.next = next
            } else {
                unsafe world.pointee.firstRequest = next
            }
            unsafe grant(world, scope: request.pointee.scope, to: request.pointee.requester)
            let address = unsafe grantAddress(of: request)
            // The request is on a stack that may be gone after this store: the wake reads no memory.
            unsafe request.pointee.isGranted.store(1, ordering: .releasing)  // [turn]
            unsafe Futex.wake(address)
        }
    }

    static func waitForTurn(_ request: UnsafeMutablePointer<StopRequest>) {
        while unsafe request.pointee.isGranted.load(ordering: .acquiring) == 0 {  // [turn]
            unsafe Futex.wait(on: grantAddress(of: request), while: 0)
        }
    }

    private static func grantAddress(
        of request: UnsafeMutablePointer<StopRequest>
    ) -> UnsafePointer<Atomic<UInt32>> {
        unsafe withUnsafePointer(to: request.pointee.isGranted) { unsafe $0 }
    }
}
