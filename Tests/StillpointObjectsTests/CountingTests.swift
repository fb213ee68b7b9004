import StillpointMemory
import StillpointPlatform
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

/// A block with a header made by hand.
private struct Header: ~Copyable {
    let object: ObjectPointer
    init(owner: UInt64, shared: UInt32) {
        object = .allocate(byteCount: 64, alignment: 16)
        object.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
        object.header.pointee.owner.store(owner, ordering: .relaxed)
        object.header.pointee.shared.store(shared, ordering: .relaxed)
    }
    deinit { object.deallocate() }
    var owner: UInt64 { object.header.pointee.owner.load(ordering: .relaxed) }
    var shared: UInt32 { object.header.pointee.shared.load(ordering: .relaxed) }
}

private func word(_ count: Int, _ state: UInt32) -> UInt32 { SharedWord.with(count: count, state: state) }

@Suite struct CountingTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter
    let type: ManagedType<Node>

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
        type = try runtime.objects.types.add(Node.self)
    }

    enum Step: CaseIterable {
        case ownerRetain, ownerRelease, otherRetain, otherRelease, otherTryRetain, enable, drain
    }

    /// R2 to R4 of one live object.
    private func check(_ object: ObjectPointer, of owner: Thread, references: Int, isQueued: Bool) {
        let ownerWord = object.header.pointee.owner.load(ordering: .relaxed)
        let shared = object.header.pointee.shared.load(ordering: .relaxed)
        #expect(Counting.count(of: object) == references + (isQueued ? 1 : 0))
        if SharedWord.state(shared) == SharedWord.merged {
            #expect(ownerWord == OwnerWord.nobody)
            #expect(SharedWord.count(shared) > 0)
        } else {
            #expect(OwnerWord.identifier(ownerWord) == owner.ownerIdentifier)
            #expect(OwnerWord.localCount(ownerWord) >= 1)
        }
    }

    @Test func `every sequence of up to six steps keeps the count and frees exactly at zero`() throws {
        let depth = rounds(6) < 6 ? 4 : 6
        let owner = try interpreter.make()
        let other = try interpreter.makeIdle()
        try Attachment.attach(owner.record)
        var died = 0
        var deathCount: Int { owner.own.pointee.diedCount + other.own.pointee.diedCount }

        func run(_ steps: [Step]) throws {
            let object = try Allocation.make(type, Node(), by: owner)
            var references = 1
            for step in steps where references > 0 {
                let before = object.header.pointee.shared.load(ordering: .relaxed)
                switch step {
                case .ownerRetain: Counting.retain(object, by: owner); references += 1
                case .otherRetain: Counting.retain(object, by: other); references += 1
                case .ownerRelease: Counting.release(object, by: owner); references -= 1
                case .otherRelease: Counting.release(object, by: other); references -= 1
                case .otherTryRetain:
                    let isRetained = Counting.tryRetain(object, by: other)
                    #expect(isRetained == (before != SharedWord.initial))
                    if isRetained { references += 1 }
                case .enable: Counting.enableTryRetain(object)
                case .drain: owner.mergeQueued(by: owner)
                }
                let isQueued = !owner.isIdle
                if references == 0, !isQueued {
                    died += 1
                } else {
                    check(object, of: owner, references: references, isQueued: isQueued)
                }
                #expect(deathCount == died)
            }
            // Whoever holds what is left gives it up, the other thread first.
            while references > 0 {
                Counting.release(object, by: references % 2 == 0 ? owner : other)
                references -= 1
                if references == 0, owner.isIdle { died += 1 }
            }
            if !owner.isIdle {
                #expect(deathCount == died)
                owner.mergeQueued(by: owner)
                died += 1
            }
            #expect(deathCount == died)
        }
        func extend(_ steps: [Step]) throws {
            if steps.count == depth { return try run(steps) }
            for step in Step.allCases { try extend(steps + [step]) }
        }
        try extend([])
        leave(owner)
        Roster.deleteUnused(other.record)
        runtime.end()
    }

    @Test func `a try-retain succeeds on the living alone, for every small header`() throws {
        try interpreter.withThread { thread in
            let mine = thread.ownerIdentifier
            let stranger = mine + 1
            for count in -2...2 {
                for state in UInt32(0)...3 {
                    // Another's object: alive, unless nothing says so.
                    let foreign = Header(owner: stranger | OwnerWord.one, shared: word(count, state))
                    let mayFail = word(count, state) == SharedWord.initial
                        || word(count, state) == SharedWord.dead
                    #expect(Counting.tryRetain(foreign.object, by: thread) == !mayFail)
                    #expect(foreign.shared == (mayFail ? word(count, state) : word(count + 1, state)))
                    #expect(foreign.owner == stranger | OwnerWord.one)
                    // One's own.
                    let own = Header(owner: mine | OwnerWord.one, shared: word(count, state))
                    #expect(Counting.tryRetain(own.object, by: thread))
                    #expect(own.owner == mine | 2 * OwnerWord.one && own.shared == word(count, state))
                    // An immortal's, whatever its shared word.
                    let immortal = Header(owner: OwnerWord.immortal, shared: word(count, state))
                    #expect(Counting.tryRetain(immortal.object, by: thread))
                    #expect(immortal.shared == word(count, state))
                }
            }
            // The dead, linked or not, and blocks just handed out.
            for link in [nil, ObjectPointer(bitPattern: 0x7FFF_1234_5670)] {
                let dead = Header(owner: OwnerWord.link(to: link), shared: SharedWord.dead)
                #expect(!Counting.tryRetain(dead.object, by: thread))
                #expect(dead.shared == SharedWord.dead && OwnerWord.linked(dead.owner) == link)
            }
        }
        runtime.end()
    }

    @Test func `a foreign release queues only when no shared count is left, for every small word`() throws {
        try interpreter.withThread { thread in
            // The owner: nobody that is listed, so that what is queued is merged at once.
            let gone: UInt64 = 999
            for local in UInt64(1)...3 {
                for count in -2...2 {
                    for state in [SharedWord.initial, SharedWord.retainable, SharedWord.queued] {
                        let total = Int(local) + count
                        if total < 1 { continue }
                        let header = Header(
                            owner: gone | local * OwnerWord.one, shared: word(count, state))
                        let queues = count == 0 && state != SharedWord.queued
                        // At a total of 1 it would die, and a header made by hand has no block to free.
                        if queues, total == 1 { continue }
                        Counting.release(header.object, by: thread)
                        if queues {
                            #expect(header.owner == OwnerWord.nobody)
                            #expect(header.shared == word(total - 1, SharedWord.merged))
                        } else {
                            #expect(header.owner == gone | local * OwnerWord.one)
                            #expect(header.shared == word(count - 1, state))
                        }
                    }
                }
            }
        }
        runtime.end()
    }

    @Test func `a merge folds the local count in whatever the state`() {
        for local in UInt64(0)...3 {
            for count in -2...3 {
                for extra in [-1, 0, 1] {
                    for state in UInt32(0)...3 {
                        if (state == SharedWord.merged) != (local == 0) { continue }
                        let total = Int(local) + count + extra
                        if total < 0 { continue }
                        let header = Header(
                            owner: local == 0 ? 0 : 77 | local * OwnerWord.one,
                            shared: word(count, state))
                        #expect(Counting.merge(header.object, adding: extra) == (total == 0))
                        #expect(header.owner == OwnerWord.nobody)
                        #expect(header.shared == word(total, SharedWord.merged))
                    }
                }
            }
        }
        runtime.end()
    }

    @Test func `counts past their limit make an object immortal`() throws {
        try interpreter.withThread { thread in
            let mine = thread.ownerIdentifier
            let saturated = word(SharedWord.saturatedCount, SharedWord.merged)
            // A foreign count that reaches the limit stays there, up and down.
            let shared = Header(owner: 999 | OwnerWord.one, shared: word(SharedWord.limit - 1, 1))
            Counting.retain(shared.object, by: thread)
            #expect(shared.shared == word(SharedWord.saturatedCount, 1))
            for _ in 0..<3 { Counting.release(shared.object, by: thread) }
            #expect(shared.shared == word(SharedWord.saturatedCount, 1))
            #expect(Objects.isImmortal(shared.object))
            // The owner's path to zero looks there.
            let owned = Header(
                owner: mine | OwnerWord.one, shared: word(SharedWord.saturatedCount, 1))
            Counting.release(owned.object, by: thread)
            #expect(owned.owner == OwnerWord.immortal && owned.shared == saturated)
            Counting.retain(owned.object, by: thread)
            Counting.release(owned.object, by: thread)
            #expect(owned.owner == OwnerWord.immortal && owned.shared == saturated)
            // A merge that would pass it.
            let merging = Header(
                owner: 77 | UInt64(SharedWord.limit) * OwnerWord.one, shared: word(0, 1))
            #expect(!Counting.merge(merging.object))
            #expect(merging.owner == OwnerWord.immortal && merging.shared == saturated)
            // A count that falls past it.
            let falling = Header(
                owner: 999 | OwnerWord.one, shared: word(1 - SharedWord.limit, SharedWord.queued))
            Counting.release(falling.object, by: thread)
            #expect(falling.shared == word(SharedWord.saturatedCount, SharedWord.queued))
            // The owner's own field, at its last value.
            let local = Header(owner: mine | (0xFFFF_FFFF_FFFF << 16), shared: 0)
            Counting.retain(local.object, by: thread)
            #expect(local.owner == OwnerWord.immortal)
        }
        runtime.end()
    }

    @Test func `an immortal object is never freed and its words rest`() throws {
        try interpreter.withThread { thread in
            let object = try Allocation.make(type, Node(), by: thread)
            Counting.makeImmortal(object)
            for _ in 0..<3 { Counting.release(object, by: thread) }
            #expect(Objects.isImmortal(object))
            #expect(!Counting.merge(object, adding: -1))
            #expect(Counting.tryRetain(object, by: thread))
        }
        runtime.end(leakedObjects: 1)
    }

    @Test func `releasing the dead ends the process`() async {
        runtime.end()
        await #expect(processExitsWith: .failure) {
            let runtime = try TestRuntime()
            let interpreter = try runtime.makeInterpreter()
            let type = try runtime.objects.types.add(Node.self)
            try interpreter.withThread { thread in
                let object = try Allocation.make(type, Node(), by: thread)
                Counting.release(object, by: thread)
                Counting.release(object, by: thread)
            }
        }
    }
}
