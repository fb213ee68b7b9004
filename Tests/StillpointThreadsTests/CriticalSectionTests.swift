import CStillpoint
import StillpointPlatform
import StillpointTestSupport
import Synchronization
import Testing

@testable import StillpointThreads

@Suite struct CriticalSectionTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
    }

    @Test func `one object is locked inside and free after`() throws {
        let slot = interpreter.slot(0)
        try interpreter.withThread { thread in
            CriticalSection.with(thread, slot) {
                #expect(interpreter.lockBits(0) == 1)
            }
            #expect(interpreter.lockBits(0) == 0)
        }
        runtime.end()
    }

    @Test func `two objects are locked inside, one object named twice only once`() throws {
        let a = interpreter.slot(0)
        let b = interpreter.slot(1)
        let alsoA = interpreter.slot(0)
        try interpreter.withThread { thread in
            CriticalSection.with(thread, a, b) {
                #expect(interpreter.lockBits(0) == 1)
                #expect(interpreter.lockBits(1) == 1)
            }
            CriticalSection.with(thread, a, alsoA) {
                #expect(interpreter.lockBits(0) == 1)
            }
            #expect(interpreter.lockBits(0) == 0)
            #expect(interpreter.lockBits(1) == 0)
        }
        runtime.end()
    }

    @Test func `a section nests ten deep in itself, and pairs in opposite order`() throws {
        let slots = [interpreter.slot(0), interpreter.slot(1)]
        func nest(_ thread: Thread, _ depth: Int, pairs: Bool) {
            guard depth > 0 else { return }
            let first = slots[depth % 2]
            let second = slots[(depth + 1) % 2]
            if pairs {
                CriticalSection.with(thread, first, second) {
                    #expect(interpreter.lockBits(0) & 1 == 1)
                    #expect(interpreter.lockBits(1) & 1 == 1)
                    nest(thread, depth - 1, pairs: pairs)
                }
            } else {
                CriticalSection.with(thread, slots[0]) {
                    #expect(interpreter.lockBits(0) & 1 == 1)
                    nest(thread, depth - 1, pairs: pairs)
                    #expect(interpreter.lockBits(0) & 1 == 1)
                }
            }
        }
        try interpreter.withThread { thread in
            nest(thread, 10, pairs: false)
            nest(thread, 10, pairs: true)
            #expect(interpreter.lockBits(0) == 0)
            #expect(interpreter.lockBits(1) == 0)
        }
        runtime.end()
    }

    @Test func `a detach releases every section, and the attach takes the innermost again`() throws {
        let a = interpreter.slot(0)
        let b = interpreter.slot(1)
        try interpreter.withThread { thread in
            try CriticalSection.with(thread, a) {
                try CriticalSection.with(thread, b) {
                    Attachment.detach(thread)
                    #expect(interpreter.lockBits(0) == 0)
                    #expect(interpreter.lockBits(1) == 0)
                    try Attachment.attach(thread)
                    #expect(interpreter.lockBits(0) == 0)
                    #expect(interpreter.lockBits(1) == 1)
                }
                #expect(interpreter.lockBits(0) == 1)
                #expect(interpreter.lockBits(1) == 0)
            }
            #expect(interpreter.lockBits(0) == 0)
        }
        runtime.end()
    }

    @Test func `a thrown error leaves the section`() throws {
        struct Failure: Error {}
        let slot = interpreter.slot(0)
        try interpreter.withThread { thread in
            #expect(throws: Failure.self) {
                try CriticalSection.with(thread, slot) { throw Failure() }
            }
            #expect(interpreter.lockBits(0) == 0)
        }
        runtime.end()
    }

    @Test func `other bits of the type word survive`() throws {
        let slot = interpreter.slot(0)
        let word = (interpreter.objects + 12).assumingMemoryBound(to: Atomic<UInt32>.self)
        word.pointee.store(0xAC00_1234, ordering: .relaxed)
        try interpreter.withThread { thread in
            CriticalSection.with(thread, slot) {
                #expect(word.pointee.load(ordering: .relaxed) == 0xAD00_1234)
            }
            #expect(word.pointee.load(ordering: .relaxed) == 0xAC00_1234)
        }
        runtime.end()
    }

    /// Plain counters, one an object: only mutual exclusion keeps them right, and the sanitizer watches.
    private final class Counters: @unchecked Sendable {
        // Not an array: its elements belong to different locks, but its buffer would belong to all.
        let values = UnsafeMutablePointer<Int>.allocate(capacity: 3)
        init() { values.initialize(repeating: 0, count: 3) }
        deinit { values.deallocate() }
        var all: [Int] { (0..<3).map { values[$0] } }
    }

    @Test func `four threads mix single, inverted, triple and detaching sections`() throws {
        let counters = Counters()
        let turns = rounds(2000)
        nonisolated(unsafe) let slots = (0..<3).map { interpreter.slot($0) }
        let threads = (0..<4).map { number in
            interpreter.start { thread in
                for turn in 0..<turns {
                    switch (turn + number) % 4 {
                    case 0:
                        CriticalSection.with(thread, slots[0]) { counters.values[0] += 1 }
                    case 1:
                        CriticalSection.with(thread, slots[number % 2], slots[(number + 1) % 2]) {
                            counters.values[0] += 1
                            counters.values[1] += 1
                            CriticalSection.with(thread, slots[2]) { counters.values[2] += 1 }
                        }
                    case 2:
                        CriticalSection.with(thread, slots[1]) {
                            Attachment.detach(thread)
                            try! Attachment.attach(thread)
                            counters.values[1] += 1
                        }
                    default:
                        CriticalSection.with(thread, slots[2], slots[1]) {
                            CriticalSection.with(thread, slots[0]) { counters.values[0] += 1 }
                            // The pair may have been released meanwhile, but it is held again now.
                            counters.values[1] += 1
                            counters.values[2] += 1
                        }
                    }
                    Safepoint.poll(thread)
                }
            }
        }
        for thread in threads { thread.join() }
        // Of four turns three change counter 0 (kinds 0, 1, 3), three counter 1 (1, 2, 3), two counter 2.
        #expect(counters.all == [3 * turns, 3 * turns, 2 * turns])
        runtime.end()
    }

    @Test func `a stop inside a contended section does not hang`() throws {
        nonisolated(unsafe) let slot = interpreter.slot(0)
        let turns = rounds(200)
        let entered = Shared()
        let threads = (0..<3).map { _ in
            interpreter.start { thread in
                for _ in 0..<turns {
                    CriticalSection.with(thread, slot) {
                        entered.add()
                        try! StopTheWorld.begin(
                            self.runtime.world, scope: self.interpreter.roster
                        ).resume()
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(entered.value == 3 * turns)
        #expect(interpreter.lockBits(0) == 0)
        runtime.end()
    }

    @Test func `a suspended thread holds no object lock that it entered`() throws {
        nonisolated(unsafe) let slots = (0..<2).map { interpreter.slot($0) }
        let done = Shared()
        let threads = (0..<3).map { number in
            interpreter.start { thread in
                while !done.isRaised {
                    CriticalSection.with(thread, slots[number % 2], slots[(number + 1) % 2]) {
                        Safepoint.poll(thread)
                    }
                }
            }
        }
        // W14: what is locked in a pause was handed to a sleeper; who entered by itself has released.
        for _ in 0..<rounds(300) {
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            var entered = 0
            Roster.forEachThread(of: interpreter.roster) { thread in
                var section = thread.pointee.topSection
                while let here = section {
                    if here.pointee.isEntered { entered += 1 }
                    section = here.pointee.outer
                }
            }
            #expect(entered == 0)
            CriticalSection.wakeAllParked(of: interpreter.roster)
            stopped.resume()
        }
        done.raise()
        for thread in threads { thread.join() }
        #expect(interpreter.lockBits(0) == 0)
        #expect(interpreter.lockBits(1) == 0)
        runtime.end()
    }

    @Test func `an object that moves in a pause is locked where it went`() throws {
        nonisolated(unsafe) let slots = (0..<3).map { _ in interpreter.slot(0) }
        let counters = Counters()
        let done = Shared()
        let turns = Shared()
        let threads = (0..<3).map { number in
            interpreter.start { thread in
                while !done.isRaised {
                    CriticalSection.with(thread, slots[number]) { counters.values[0] += 1 }
                    turns.add()
                    Safepoint.poll(thread)
                }
            }
        }
        var place = 0
        for _ in 0..<rounds(300) {
            let stopped = try StopTheWorld.begin(runtime.world, scope: interpreter.roster)
            CriticalSection.wakeAllParked(of: interpreter.roster)
            // The header travels, lock bit and all; whoever is parked has been told to look again.
            let next = (place + 1) % 8
            let from = interpreter.objects + 16 * place + 12
            let to = interpreter.objects + 16 * next + 12
            let word = from.assumingMemoryBound(to: Atomic<UInt32>.self)
                .pointee.exchange(0, ordering: .relaxed)
            // Nobody is parked at either place any more, so the parked bit is stale.
            to.assumingMemoryBound(to: Atomic<UInt32>.self)
                .pointee.store(word & ~(2 << 24), ordering: .relaxed)
            place = next
            for slot in slots { slot.pointee = interpreter.objects + 16 * place }
            let turnsBefore = turns.value
            stopped.resume()
            eventually("turns after the move") { turns.value > turnsBefore + 3 }
        }
        done.raise()
        for thread in threads { thread.join() }
        #expect(interpreter.lockBits(place) == 0)
        #expect(counters.values[0] == turns.value)
        runtime.end()
    }
}
