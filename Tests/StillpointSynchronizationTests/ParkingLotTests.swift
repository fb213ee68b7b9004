import Glibc
import StillpointPlatform
import StillpointTestSupport
import Testing

@testable import StillpointSynchronization

@Suite struct ParkingLotTests {
    @Test func `a thread whose word has changed does not sleep`() {
        let place = Place()
        var hasPreparedToSleep = false
        let outcome = ParkingLot.park(
            at: place.address, validate: { false }, beforeSleep: { hasPreparedToSleep = true })
        #expect(outcome == .notParked)
        #expect(!hasPreparedToSleep)
        #expect(ParkingLot.waiterCount(at: place.address) == 0)
    }

    @Test func `an unparker that finds nobody is told so under the lock`() {
        let place = Place()
        var callbacks = 0
        let info = ParkingLot.unparkOne(at: place.address) { info in
            callbacks += 1
            #expect(!info.didUnpark && !info.hasMoreWaiters && !info.shouldHandOff)
            return 0
        }
        #expect(callbacks == 1)
        #expect(!info.didUnpark)
        #expect(ParkingLot.unparkAll(at: place.address) == 0)
    }

    @Test func `who waits longest is woken first and finds the token meant for it`() {
        let place = Place()
        let log = Log()
        var threads: [Running] = []
        for index in 0..<5 {
            threads.append(
                Running {
                    let outcome = ParkingLot.park(at: place.address, validate: { true })
                    log.add("\(index) \(outcome)")
                })
            eventually("the waiter") { ParkingLot.waiterCount(at: place.address) == index + 1 }
        }
        for index in 0..<5 {
            let info = ParkingLot.unparkOne(at: place.address) { info in
                #expect(info.didUnpark)
                #expect(info.hasMoreWaiters == (index < 4))
                return UInt(100 + index)
            }
            #expect(info.didUnpark)
            eventually("the waiter's return") { log.all.count == index + 1 }
        }
        for thread in threads { thread.join() }
        #expect(log.all == (0..<5).map { "\($0) unparked(token: \(100 + $0))" })
    }

    @Test func `all waiters of one address are woken and those of others are not`() {
        // Three addresses of one bucket, so that they share a queue.
        let page = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 64)
        let first = ParkingTable.bucket(of: UInt(bitPattern: page)).line
        let places = (0..<(1 << 16)).lazy.map { Place(at: UnsafeRawPointer(page + $0)) }
            .filter { ParkingTable.bucket(of: UInt(bitPattern: $0.address)).line == first }
            .prefix(3)
        let three = Array(places)
        #expect(three.count == 3)
        let woken = three.map { _ in Counter() }
        var threads: [Running] = []
        for index in 0..<9 {
            threads.append(
                Running {
                    let outcome = ParkingLot.park(
                        at: three[index % 3].address, validate: { true })
                    #expect(outcome == .unparked(token: UInt(index % 3)))
                    woken[index % 3].add()
                })
        }
        eventually { three.allSatisfy { ParkingLot.waiterCount(at: $0.address) == 3 } }
        for (index, place) in three.enumerated() {
            #expect(ParkingLot.unparkAll(at: place.address, token: UInt(index)) == 3)
            eventually { woken[index].value == 3 }
            for later in three.dropFirst(index + 1) {
                #expect(ParkingLot.waiterCount(at: later.address) == 3)
            }
        }
        for thread in threads { thread.join() }
        page.deallocate()
    }

    @Test func `waiters of a range of addresses are woken wherever they hash to`() {
        let inside = (0..<4).map { _ in Place() }
        let outside = Place()
        let addresses = Set(inside.map { $0.address })
        var threads = (inside + [outside]).map { place in
            Running {
                let outcome = ParkingLot.park(at: place.address, validate: { true })
                #expect(outcome == .unparked(token: place.address == outside.address ? 2 : 1))
            }
        }
        eventually {
            (inside + [outside]).allSatisfy { ParkingLot.waiterCount(at: $0.address) == 1 }
        }
        #expect(ParkingLot.unparkAll(where: { addresses.contains($0) }, token: 1) == 4)
        #expect(ParkingLot.waiterCount(at: outside.address) == 1)
        #expect(ParkingLot.unparkAll(at: outside.address, token: 2) == 1)
        while let thread = threads.popLast() { thread.join() }
    }

    @Test func `before it sleeps a thread is queued and holds no lock of the lot`() {
        let place = Place()
        var log: [String] = []
        let outcome = ParkingLot.park(
            at: place.address, validate: { true },
            beforeSleep: {
                log.append("\(ParkingLot.waiterCount(at: place.address)) queued")
                // It may even park elsewhere, and be woken here before it has slept.
                let inner = ParkingLot.park(
                    at: place.address + 1, validate: { true },
                    beforeSleep: { ParkingLot.unparkAll(at: place.address + 1, token: 7) })
                log.append("\(inner)")
                ParkingLot.unparkOne(at: place.address) { _ in 8 }
            })
        #expect(outcome == .unparked(token: 8))
        #expect(log == ["1 queued", "unparked(token: 7)"])
    }

    // MARK: Patience

    @Test func `a waiter is handed what it waits for a millisecond after it first waited`() {
        let place = Place()
        let now = MonotonicClock.nanoseconds()
        let cases: [(since: UInt64, isHanded: Bool)] = [
            (now + 60_000_000_000, false),
            (now - ParkingLot.patienceNanoseconds, true),
        ]
        for (since, isHanded) in cases {
            _ = ParkingLot.park(
                at: place.address, waitingSinceNanoseconds: since, validate: { true },
                beforeSleep: {
                    ParkingLot.unparkOne(at: place.address) { info in
                        #expect(info.shouldHandOff == isHanded)
                        return 0
                    }
                })
        }
    }

    // MARK: Deadlines

    @Test func `a deadline that has passed ends the wait and leaves nothing behind`() {
        let place = Place()
        for deadline in [0, 1, MonotonicClock.nanoseconds(), MonotonicClock.nanoseconds() + 2_000_000] {
            var told: [Bool] = []
            let outcome = ParkingLot.park(
                at: place.address, untilNanoseconds: deadline, validate: { true },
                onTimeout: { told.append($0) })
            #expect(outcome == .timedOut)
            #expect(told == [false])
            #expect(MonotonicClock.nanoseconds() >= deadline)
            #expect(ParkingLot.waiterCount(at: place.address) == 0)
        }
    }

    @Test func `a waiter that gives up is told whether others wait and keeps their order`() {
        let place = Place()
        let log = Log()
        var threads: [Running] = []
        for index in 0..<3 {
            threads.append(
                Running {
                    let deadline = index == 1 ? MonotonicClock.nanoseconds() + 50_000_000 : nil
                    let outcome = ParkingLot.park(
                        at: place.address, untilNanoseconds: deadline, validate: { true },
                        onTimeout: { #expect($0) })
                    log.add("\(index) \(outcome)")
                })
            eventually { index == 1 || ParkingLot.waiterCount(at: place.address) >= 1 }
            eventually { ParkingLot.waiterCount(at: place.address) == index + 1 || log.all.count == 1 }
        }
        eventually("the deadline") { log.all == ["1 timedOut"] }
        eventually { ParkingLot.waiterCount(at: place.address) == 2 }
        for count in 2...3 {
            ParkingLot.unparkOne(at: place.address) { info in
                #expect(info.hasMoreWaiters == (count == 2))
                return UInt(count)
            }
            eventually { log.all.count == count }
        }
        for thread in threads { thread.join() }
        #expect(log.all == ["1 timedOut", "0 unparked(token: 2)", "2 unparked(token: 3)"])
    }

    @Test func `a waiter taken as its deadline passes reports the wake`() {
        let place = Place()
        let deadline = MonotonicClock.nanoseconds() + 300_000_000
        let thread = Running {
            let outcome = ParkingLot.park(
                at: place.address, untilNanoseconds: deadline, validate: { true },
                onTimeout: { _ in Issue.record("taken, and timed out all the same") })
            #expect(outcome == .unparked(token: 5))
        }
        eventually { ParkingLot.waiterCount(at: place.address) == 1 }
        let info = ParkingLot.unparkOne(at: place.address) { _ in
            // Taken already, under the lock; the waiter's deadline passes before it is let go.
            while MonotonicClock.nanoseconds() < deadline + 20_000_000 { usleep(1000) }
            return 5
        }
        #expect(info.didUnpark)
        thread.join()
    }

    @Test func `every wake is reported once however wakes and deadlines race`() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        let place = Place()
        let (parked, finished, wakesSeen) = (Counter(), Counter(), Counter())
        let waiters = (0..<3).map { index in
            Running {
                var random = SplitMix64(seed: seed &+ UInt64(index))
                for _ in 0..<1000 {
                    let pause = UInt64.random(in: 0..<100_000, using: &random)
                    let outcome = ParkingLot.park(
                        at: place.address, untilNanoseconds: MonotonicClock.nanoseconds() + pause,
                        validate: { true })
                    parked.add()
                    if outcome == .unparked(token: 1) { wakesSeen.add() }
                }
                finished.add()
            }
        }
        var random = SplitMix64(seed: ~seed)
        var wakesGiven = 0
        while finished.value < 3 {
            if ParkingLot.unparkOne(at: place.address, callback: { _ in 1 }).didUnpark { wakesGiven += 1 }
            usleep(UInt32.random(in: 0..<60, using: &random))
        }
        for waiter in waiters { waiter.join() }
        #expect(parked.value == 3000)
        #expect(wakesSeen.value == wakesGiven)
        #expect(ParkingLot.waiterCount(at: place.address) == 0)
    }

    // MARK: Buckets

    /// A bucket beside the table, which no other test uses.
    private func ownBucket() -> ParkingBucket {
        let line = UnsafeMutableRawPointer.allocate(
            byteCount: ParkingTable.lineByteCount, alignment: ParkingTable.lineByteCount)
        line.initializeMemory(as: UInt8.self, repeating: 0, count: ParkingTable.lineByteCount)
        keepForever(line)
        return ParkingBucket(line: line)
    }

    @Test func `a queue keeps its order whichever waiters leave it`() {
        // Every subset of up to five waiters leaves, from either end.
        let bucket = ownBucket()
        for count in 1...5 {
            for leaving in 0..<(1 << count) {
                for isBackwards in [false, true] {
                    let nodes = UnsafeMutablePointer<ParkedWaiter>.allocate(capacity: count)
                    bucket.lock()
                    for index in 0..<count {
                        (nodes + index).initialize(to: .init(address: 1, kind: UInt(index), since: 0))
                        bucket.append(nodes + index)
                    }
                    let order = isBackwards ? Array((0..<count).reversed()) : Array(0..<count)
                    for index in order where leaving & (1 << index) != 0 { bucket.remove(nodes + index) }
                    var left: [Int] = []
                    _ = bucket.first(where: { left.append(Int($0.pointee.kind)); return false })
                    #expect(left == (0..<count).filter { leaving & (1 << $0) == 0 })
                    for index in left { bucket.remove(nodes + index) }
                    #expect(bucket.firstWaiter == nil)
                    bucket.unlock()
                    nodes.deallocate()
                }
            }
        }
    }

    @Test func `a bucket's lock excludes`() {
        let bucket = ownBucket()
        let total = Unprotected(0)
        runThreads(4) { _ in
            for _ in 0..<5000 {
                bucket.lock()
                total.value += 1
                bucket.unlock()
            }
        }
        #expect(total.value == 20_000)
    }

    @Test func `a waiter's wake word stands where the futex expects it`() {
        var node = ParkedWaiter(address: 1, kind: 2, since: 3)
        withUnsafeMutablePointer(to: &node) { waiter in
            waiter.pointee.isWoken.store(77, ordering: .relaxed)
            #expect(ParkedWaiter.wakeWord(of: waiter).pointee.load(ordering: .relaxed) == 77)
        }
    }
}
