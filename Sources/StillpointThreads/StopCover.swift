// Which stop of an OS thread covers what it asks for inside it, and what must hold in a pause.

internal import StillpointPlatform
internal import StillpointSynchronization

extension StopTheWorld {
    /// The record of a stop: the interpreter's own, or that of all.
    static func stopRecord(
        of world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?
    ) -> UnsafeMutablePointer<Stop> {
        if let scope = unsafe scope { return unsafe scope.stop }
        return unsafe world.stop
    }

    /// The active stop of `requester` that covers `scope`. The roll is held.
    static func coveringStop(
        of world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?, by requester: UInt
    ) -> UnsafeMutablePointer<Stop>? {
        let all = unsafe world.stop
        if unsafe all.pointee.isActive && all.pointee.requester == requester { return unsafe all }
        guard let scope = unsafe scope else { return nil }
        let own = unsafe scope.stop
        return unsafe own.pointee.isActive && own.pointee.requester == requester ? own : nil
    }

    /// Whether the calling OS thread has stopped this interpreter: it would wait for itself.
    static func isStoppedByCaller(_ roster: UnsafeMutablePointer<Roster>) -> Bool {
        let world = unsafe roster.pointee.world
        return unsafe world.pointee.roll.withLock {
            unsafe coveringStop(of: world, scope: roster, by: CallingThread.identity) != nil
        }
    }

    /// Whether the calling OS thread has stopped this runtime or any interpreter of it.
    public static func isAnyStoppedByCaller(in world: UnsafeMutablePointer<World>) -> Bool {
        let caller = CallingThread.identity
        return unsafe world.pointee.roll.withLock {
            var isStopping = unsafe world.stop.pointee.isActive && world.stop.pointee.requester == caller
            unsafe World.forEachRoster(of: world, in: nil) { roster in
                let isOurs = unsafe roster.stop.pointee.isActive && roster.stop.pointee.requester == caller
                isStopping = isStopping || isOurs
            }
            return isStopping
        }
    }

    /// W4 and W14, for assertions: every other thread in scope is suspended, and has entered no critical section.
    static func isStill(
        _ world: UnsafeMutablePointer<World>, scope: UnsafeMutablePointer<Roster>?,
        but stopper: UnsafeMutablePointer<ThreadRecord>?
    ) -> Bool {
        var isStill = true
        unsafe world.pointee.roll.lock()
        unsafe World.forEachRoster(of: world, in: scope) { roster in
            unsafe Roster.forEachMember(of: roster) { thread in
                if unsafe thread == stopper { return }
                if unsafe ThreadWord.state(thread.loadWord()) != ThreadWord.suspended { isStill = false }
                if unsafe CriticalSection.hasEntered(thread) { isStill = false }
            }
        }
        unsafe world.pointee.roll.unlock()
        return isStill
    }
}
