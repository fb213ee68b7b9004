#if ModelCheck
// The parking lot: P1 to P4 and [wake] of ParkingLot.swift, B1 and [bucket] of ParkingLot+Bucket.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var parkingModels: [ProtocolModel] {
    [
        bucketOfThree, bucketTwice, sleepAgainstWake, sleepWithRealBucket, firstInFirstOut, deadlineAgainstUnpark,
        exactCounts, nodeUsedAgain, twoAddresses, parkBeforeSleep, unparkWhere,
    ]
}

// MARK: The bucket's lock

private var bucketOfThree: ProtocolModel {
    ProtocolModel(
        "bucket: three threads", "[bucket]; B1: of several that sleep, none is forgotten",
        smoke: [.depthFirst(preemptions: 3, staleReads: 2), .random(seed: 1, runs: 5000)],
        long: [.depthFirst(preemptions: 6, staleReads: 2), .priorities(seed: 1, depth: 4, runs: 500_000)]
    ) { model in
        useBucket(model, threads: ["a", "b", "c"], times: 1)
    }
}

private var bucketTwice: ProtocolModel {
    ProtocolModel(
        "bucket: two threads, twice each", "[bucket]; nobody sleeps for ever",
        smoke: [.depthFirst(preemptions: 5, staleReads: 2), .random(seed: 2, runs: 5000)],
        long: [.depthFirst(preemptions: 7, staleReads: 2), .priorities(seed: 2, depth: 4, runs: 500_000)]
    ) { model in
        model.idleSpins = 2
        model.spuriousWakes = 1
        useBucket(model, threads: ["a", "b"], times: 2)
    }
}

private func useBucket(_ model: Model, threads: [String], times: Int) {
    let bucket = ParkingBucket(line: model.allocate(UInt64.self, count: 8, alignment: 64))
    let word = bucket.line.assumingMemoryBound(to: Atomic<UInt32>.self)
    model.name(bucket.line, "bucket")
    let data = model.allocate(Int.self)
    for name in threads {
        model.thread(name) {
            for _ in 0..<times {
                bucket.lock()
                data.pointee += 1
                bucket.unlock()
            }
        }
    }
    model.finally {
        model.expect(data.pointee == threads.count * times, "two held the lock at once")
        model.expect(word.pointee.load(ordering: .relaxed) == 0, "the lock is not free in the end")
    }
}

// MARK: Sleeping and waking

private var sleepAgainstWake: ProtocolModel {
    ProtocolModel(
        "parking: sleep against a change and a wake",
        "no wake is missed; [wake], the token comes over; P4: a wake without cause",
        smoke: [.sleepSets(staleReads: 2), .depthFirst(preemptions: 5, staleReads: 2)]
    ) { model in
        Specification.take(.bucket)
        model.spuriousWakes = 1
        sleepOnce(model)
    }
}

private var sleepWithRealBucket: ProtocolModel {
    ProtocolModel(
        "parking: sleep against a change and a wake, with the bucket's own lock",
        "no wake is missed; [wake] [bucket]; P1",
        smoke: [.sleepSets(staleReads: 1), .depthFirst(preemptions: 4, staleReads: 2)],
        long: [.depthFirst(preemptions: 6, staleReads: 2), .priorities(seed: 3, depth: 4, runs: 500_000)]
    ) { model in
        sleepOnce(model)
    }
}

private func sleepOnce(_ model: Model) {
    let word = model.allocate(Atomic<UInt32>.self)
    let data = model.allocate(Int.self)
    model.name(word, "word")
    model.invariant("P1") { ParkingInspection.isWhole(at: word) }
    model.thread("sleeper") {
        let outcome = ParkingLot.park(at: word, validate: { word.pointee.load(ordering: .relaxed) == 0 })
        guard outcome != .notParked else { return }
        model.expect(outcome == .unparked(token: 5), "the token is another")
        model.expect(data.pointee == 1, "[wake]: the sleeper does not see what the waker wrote")
    }
    model.thread("waker") {
        data.pointee = 1
        word.pointee.store(1, ordering: .relaxed)
        ParkingLot.unparkOne(at: word) { _ in 5 }
    }
}

private var firstInFirstOut: ProtocolModel {
    ProtocolModel(
        "parking: first in, first out", "P1: two sleepers are woken in the order in which they were queued",
        smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 2)]
    ) { model in
        Specification.take(.bucket)
        let word = model.allocate(Atomic<UInt32>.self)
        let queued = Ghost(0)
        model.invariant("P1") { ParkingInspection.isWhole(at: word) }
        for name in ["a", "b"] {
            model.thread(name) {
                var number = 0
                let outcome = ParkingLot.park(at: word, validate: {
                    number = queued.value
                    queued.value += 1
                    return true
                })
                model.expect(outcome == .unparked(token: UInt(number)), "sleeper \(number) was woken out of its turn")
            }
        }
        model.thread("waker") {
            var woken: UInt = 0
            while woken < 2 {
                if ParkingLot.unparkOne(at: word, callback: { _ in woken }).didUnpark { woken += 1 } else { spinHint() }
            }
        }
    }
}

// MARK: Deadlines

private var deadlineAgainstUnpark: ProtocolModel {
    ProtocolModel(
        "parking: a deadline against an unpark",
        "P2: who is taken reports the wake, though its deadline has passed; P1",
        smoke: [.sleepSets(staleReads: 2), .depthFirst(preemptions: 6, staleReads: 2)]
    ) { model in
        Specification.take(.bucket)
        let word = model.allocate(Atomic<UInt32>.self)
        let data = model.allocate(Int.self)
        let outcomes = model.allocate(Bool.self, count: 2)
        model.invariant("P1") { ParkingInspection.isWhole(at: word) }
        model.thread("sleeper") {
            switch ParkingLot.park(at: word, untilNanoseconds: 2_000_000_000, validate: { true }) {
            case .unparked(let token):
                model.expect(token == 7 && data.pointee == 1, "[wake]: the token, or what was written before the wake")
                outcomes[0] = true
            case .timedOut: break
            case .notParked: model.expect(false, "not parked")
            }
        }
        model.thread("waker") {
            data.pointee = 1
            outcomes[1] = ParkingLot.unparkOne(at: word) { _ in 7 }.didUnpark
        }
        model.finally {
            model.expect(outcomes[0] == outcomes[1], "P2: a wake was lost, or reported by nobody's giving")
            model.outcome(outcomes[0] ? "woken" : "timed out")
        }
    }
}

private var exactCounts: ProtocolModel {
    ProtocolModel(
        "parking: who else waits", "what unparkers and those whose deadline passes learn of others is exact; P1, P2",
        smoke: [.depthFirst(preemptions: 3, staleReads: 1)],
        long: [.depthFirst(preemptions: 5, staleReads: 1), .priorities(seed: 4, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let word = model.allocate(Atomic<UInt32>.self)
        let waiting = Ghost(0), woken = Ghost(0)
        model.invariant("P1") { ParkingInspection.isWhole(at: word) }
        for (name, deadline) in [("a", UInt64(2_000_000_000)), ("b", 3_000_000_000)] {
            model.thread(name) {
                let outcome = ParkingLot.park(
                    at: word, untilNanoseconds: deadline,
                    validate: {
                        waiting.value += 1
                        return true
                    },
                    onTimeout: { hasMoreWaiters in
                        waiting.value -= 1
                        model.expect(hasMoreWaiters == (waiting.value > 0), "on time-out: whether others wait")
                    })
                if outcome != .timedOut { woken.value += 1 }
            }
        }
        let taken = Ghost(0)
        model.thread("waker") {
            ParkingLot.unparkOne(at: word) { info in
                model.expect(info.didUnpark == (waiting.value > 0), "whether anybody was taken")
                if info.didUnpark { (waiting.value, taken.value) = (waiting.value - 1, taken.value + 1) }
                model.expect(info.hasMoreWaiters == (waiting.value > 0), "whether others wait")
                return 0
            }
        }
        model.finally { model.expect(taken.value == woken.value, "P2: \(taken.value) taken, \(woken.value) woken") }
    }
}

// MARK: Several at once

private var nodeUsedAgain: ProtocolModel {
    ProtocolModel(
        "parking: a node's memory used again", "P3: nobody touches a node after the store that wakes; all are woken",
        smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 4, staleReads: 1)]
    ) { model in
        Specification.take(.bucket)
        let word = model.allocate(Atomic<UInt32>.self)
        let other = model.allocate(Atomic<UInt32>.self)
        model.invariant("P1") { ParkingInspection.isWhole(at: word) }
        for name in ["a", "b"] {
            model.thread(name) {
                // The second call makes its node where the first one had its own, and writes all of it.
                _ = parkHere(word) { true }
                _ = parkHere(other) { false }
            }
        }
        model.thread("waker") {
            var woken = 0
            while woken < 2 {
                let count = ParkingLot.unparkAll(at: word)
                woken += count
                if count == 0 { spinHint() }
            }
        }
    }
}

@inline(never)
private func parkHere(_ word: UnsafeRawPointer, _ validate: () -> Bool) -> ParkingLot.ParkOutcome {
    ParkingLot.park(at: word, validate: validate)
}

private var twoAddresses: ProtocolModel {
    ProtocolModel(
        "parking: two addresses in one bucket", "P1: a wake takes nobody from another address, and counts nobody there",
        smoke: [.depthFirst(preemptions: 2, staleReads: 0)],
        long: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 6, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let words = model.allocate(Atomic<UInt32>.self, count: 1000)
        func bucket(_ word: UnsafeRawPointer) -> UnsafeMutableRawPointer {
            ParkingTable.bucket(of: UInt(bitPattern: word)).line
        }
        guard let other = (1..<1000).first(where: { bucket(words + $0) == bucket(words) }) else {
            return model.expect(false, "no two addresses in one bucket")
        }
        model.invariant("P1") { ParkingInspection.isWhole(at: words) }
        for (index, word) in [words, words + other].enumerated() {
            model.thread("sleeper \(index)") {
                let outcome = ParkingLot.park(at: word, validate: { true })
                model.expect(outcome == .unparked(token: UInt(index)), "woken for the other address")
            }
        }
        model.thread("waker") {
            for (index, word) in [words + other, words].enumerated() {
                while true {
                    let info = ParkingLot.unparkOne(at: word) { _ in UInt(1 - index) }
                    model.expect(!info.hasMoreWaiters, "a waiter of the other address was counted")
                    if info.didUnpark { break }
                    spinHint()
                }
            }
        }
    }
}

private var parkBeforeSleep: ProtocolModel {
    ProtocolModel(
        "parking: a sleep inside beforeSleep", "a wake that comes while the queued thread sleeps elsewhere is not lost",
        smoke: [.sleepSets(staleReads: 1)]
    ) { model in
        Specification.take(.bucket)
        let words = model.allocate(Atomic<UInt32>.self, count: 2)
        let (outer, inner) = (words, words + 1)
        model.thread("sleeper") {
            let outcome = ParkingLot.park(
                at: outer, validate: { outer.pointee.load(ordering: .relaxed) == 0 },
                beforeSleep: {
                    _ = ParkingLot.park(at: inner, validate: { inner.pointee.load(ordering: .relaxed) == 0 })
                })
            model.expect(outcome == .notParked || outcome == .unparked(token: 9), "the token is another")
        }
        model.thread("waker") {
            outer.pointee.store(1, ordering: .relaxed)
            ParkingLot.unparkAll(at: outer, token: 9)
            inner.pointee.store(1, ordering: .relaxed)
            ParkingLot.unparkAll(at: inner)
        }
    }
}

private var unparkWhere: ProtocolModel {
    ProtocolModel(
        "parking: a wake by a condition", "those that are wanted are woken, of all buckets, and nobody else",
        smoke: [.depthFirst(preemptions: 1, staleReads: 0)],
        long: [.depthFirst(preemptions: 1, staleReads: 1), .priorities(seed: 5, depth: 3, runs: 20_000)]
    ) { model in
        Specification.take(.bucket)
        let words = model.allocate(Atomic<UInt32>.self, count: 2)
        for index in 0..<2 {
            model.thread(index == 0 ? "wanted" : "unwanted") {
                let outcome = ParkingLot.park(
                    at: words + index, untilNanoseconds: index == 0 ? nil : 2_000_000_000, validate: { true })
                model.expect(outcome == (index == 0 ? .unparked(token: 3) : .timedOut), "woken wrongly: \(outcome)")
            }
        }
        model.thread("waker") {
            while ParkingLot.waiterCount(at: words) == 0 { spinHint() }
            let count = ParkingLot.unparkAll(where: { $0 == UnsafeRawPointer(words) }, token: 3)
            model.expect(count == 1, "\(count) woken, not one")
        }
    }
}
#endif
