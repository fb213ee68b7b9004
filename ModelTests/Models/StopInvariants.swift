#if ModelCheck
// The invariants of stops, as predicates over the fields of a world, looked at after every step of a model. I1 to I14 are those of
// the fact sheet that these protocols come from, stated there over CPython's mutexes; W1 to W14 those of StopTheWorld.swift.
//
//   I1   W1   a stop that is active has its turn; who has one has one                           here
//   I2   W2   a stop of all is active alone                                                     here
//   I3   W3   countdown = asked and not arrived: at least the asked that are still attached     here; that it is
//             no more is shown by the end of every stop (deadlock), that it is no less after
//             the move by `arrive`'s assertion and by the races that a pause begun early has
//   I4   W4   in the pause all in scope but the stopper are suspended, and stay so              here
//   I5   W5   lists and `suspended` change under the roll; who is listed in a stop is born so   here
//   I6   W6   nobody moves from suspended to attached; a stopper's moves are under the roll     here (not who moves:
//             that is shown by the races, each thread's data being its own)
//   I7   W7   who is asked is asked by a stop that has asked and covers it                      here; that the stop
//             lasts until the arrival is I8
//   I8   W8   countdown is 0 but between the walk and the pause, and stays 0 in the pause       here
//   I9   W9   the stopper's thread state stays attached and is not asked                        here; that it is
//             offline, by the models' pauses
//   I10  W10  nobody waits for a thread that has left the list          not a state: a stop that did would not end
//   I11  W11  a stop begins                                             not a state: deadlock and step limit
//   I12  W12  no stop asks while a thread that waited has not run                               here, at the ask
//   I13  W13  locks that a pause may take                               not a state: the pauses of the models take
//             the roll, and a stop that waited for a lock of somebody suspended would not end
//   I14  W14  who is not attached has entered no critical section                               here
//
// And D1, D2 of Dormancy.swift, H1 of HeldThread.swift, the word's own (`ThreadWord.check`), and A4 as far as that resumedCount
// counts at least those with isResumed.

import StillpointModel
import StillpointPlatform
import StillpointSynchronization

@testable import StillpointThreads

/// What was seen after the last step, and what must hold after this one.
final class StopInvariants {
    private struct Seen {
        let thread: ThreadState
        let identifier: UInt64
        let word: UInt32
        let isInDormantList: Bool
        let roster: Interpreter
    }

    private let world: UnsafeMutablePointer<World>
    private var last: [Seen] = []
    private var now: [Seen] = []
    private var isFirst = true
    private var isRollFree = true
    /// The stops whose pause has begun.
    private var paused: [UnsafeMutablePointer<Stop>] = []

    init(of world: UnsafeMutablePointer<World>) {
        self.world = world
        last.reserveCapacity(8)
        now.reserveCapacity(8)
    }

    /// True, or the run has failed.
    func hold() -> Bool {
        isRollFree = world.pointee.roll.tryLock()
        if isRollFree { world.pointee.roll.unlock() }
        now.removeAll(keepingCapacity: true)
        var next = world.pointee.rosters
        while let roster = next {
            next = roster.pointee.next
            look(from: roster.pointee.threads, of: roster, dormant: false)
            look(from: roster.pointee.dormant, of: roster, dormant: true)
        }
        checkTurns()
        for seen in now { check(seen) }
        if !isFirst { checkMoves() }
        isFirst = false
        swap(&last, &now)
        return true
    }

    private func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
        if !condition { modelFailure("invariant \(text()) does not hold") }
    }

    private func look(from first: ThreadState?, of roster: Interpreter, dormant: Bool) {
        var next = first
        while let thread = next {
            next = thread.pointee.next
            expect(now.count < 64, "D1: a list of threads has no end")
            now.append(Seen(
                thread: thread, identifier: thread.pointee.identifier, word: thread.loadWord(),
                isInDormantList: dormant, roster: roster))
        }
    }

    // MARK: Stops

    private func checkTurns() {
        var activeCount = 0
        var next = world.pointee.rosters
        while let roster = next {
            next = roster.pointee.next
            check(roster.stop, over: roster)
            if roster.pointee.stop.isActive { activeCount += 1 }
            let resumed = Int(roster.pointee.resumedCount.load(ordering: .relaxed))
            var flagged = 0
            for seen in now where seen.roster == roster && seen.word & ThreadWord.isResumed != 0 { flagged += 1 }
            expect(resumed >= flagged, "A4: more threads are to run than are counted")
            if isRollFree, World.hasStopAsked(over: roster) {
                expect(resumed == 0, "I12 W12: a stop has asked while a thread that waited has not run")
            }
        }
        check(world.stop, over: nil)
        expect(activeCount == world.pointee.rosterStopCount, "I1 W1: active stops are not those that are counted")
        expect(!world.pointee.stop.isActive || activeCount == 0, "I2 W2: a stop of all is active beside another")
    }

    private func check(_ stop: UnsafeMutablePointer<Stop>, over scope: Interpreter?) {
        let countdown = stop.pointee.countdown.load(ordering: .relaxed)
        guard stop.pointee.hasAsked else {
            if let index = paused.firstIndex(of: stop) { paused.remove(at: index) }
            expect(countdown == 0, "I8 W8: countdown is \(countdown) though no stop has asked")
            expect(
                stop.pointee.isActive == (stop.pointee.requester != 0), "I1 W1: a turn without a requester, or the other way")
            return
        }
        expect(stop.pointee.isActive && stop.pointee.requester != 0, "I1 W1: a stop has asked without its turn")
        var asked: UInt32 = 0
        for seen in now where scope == nil || seen.roster == scope {
            if seen.word & ThreadWord.stopRequested != 0, seen.thread.pointee.stop == stop { asked += 1 }
            if isStopper(seen, of: stop) {
                expect(
                    seen.word & (ThreadWord.stateMask | ThreadWord.stopRequested) == ThreadWord.attached,
                    "I9 W9: a stopper does not stay attached")
            }
        }
        expect(countdown >= asked, "I3 W3: \(asked) are asked, and countdown is \(countdown)")
        let isPaused = paused.contains(stop)
        expect(!isPaused || countdown == 0, "I8 W8: countdown changes in the pause")
        guard isRollFree, countdown == 0 else { return }
        if !isPaused { paused.append(stop) }
        for seen in now where scope == nil || seen.roster == scope {
            expect(
                ThreadWord.state(seen.word) == ThreadWord.suspended || isStopper(seen, of: stop),
                "I4 W4: a thread in scope is not suspended in the pause")
            expect(seen.word & ThreadWord.isHeld == 0, "H1: a pause overlaps a hold")
        }
    }

    private func isStopper(_ seen: Seen, of stop: UnsafeMutablePointer<Stop>) -> Bool {
        seen.thread.pointee.stopDepth > 0
            && seen.thread.pointee.boundThread.load(ordering: .relaxed) == stop.pointee.requester
    }

    // MARK: Threads

    private func check(_ seen: Seen) {
        ThreadWord.check(seen.word)
        let state = ThreadWord.state(seen.word)
        if seen.word & ThreadWord.stopRequested != 0 {
            let stop = seen.thread.pointee.stop
            expect(stop == seen.roster.stop || stop == world.stop, "I7 W7: asked by a stop that does not cover it")
            if let stop { expect(stop.pointee.hasAsked, "I7 W7: asked by a stop that is over") }
        }
        expect(
            seen.thread.pointee.stopDepth == 0 || state == ThreadWord.attached,
            "I9 W9: a thread with a stop under way is not attached")
        if state != ThreadWord.attached {
            expect(!CriticalSection.hasEntered(seen.thread), "I14 W14: not attached, and inside a critical section")
        }
        if isRollFree {
            expect(seen.isInDormantList == (seen.word & ThreadWord.isDormant != 0), "D1: in the other list")
        }
    }

    /// What changed since the last step.
    private func checkMoves() {
        for before in last where !now.contains(where: { $0.identifier == before.identifier }) {
            expect(!isRollFree, "I5 W5: a thread left the list without the roll")
        }
        for after in now {
            guard let before = last.first(where: { $0.identifier == after.identifier }) else {
                expect(!isRollFree, "I5 W5: a thread was listed without the roll")
                expect(
                    !World.isStopActive(over: after.roster) || ThreadWord.state(after.word) == ThreadWord.suspended,
                    "I5 W5: a thread listed in a stop is not born suspended")
                continue
            }
            if before.isInDormantList != after.isInDormantList {
                expect(!isRollFree, "D1: a thread changed its list without the roll")
            }
            switch (ThreadWord.state(before.word), ThreadWord.state(after.word)) {
            case (ThreadWord.suspended, ThreadWord.attached):
                expect(false, "I6 W6: from suspended to attached")
            case (ThreadWord.detached, ThreadWord.suspended), (ThreadWord.suspended, ThreadWord.detached):
                expect(!isRollFree, "I6 W6: between detached and suspended without the roll")
            case (ThreadWord.detached, ThreadWord.attached):
                expect(before.word & ThreadWord.isCleared == 0, "L3: a cleared thread state attaches")
            default: break
            }
        }
    }
}
#endif
