import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Testing

private final class Fixture: @unchecked Sendable {
    let lock = ReaderWriterLock()
    var value = 0
    let readersInside = Counter()

    /// Loads `value` in a way that ThreadSanitizer sees: what a closure returns by memory is copied by
    /// a call that it does not look into.
    var hasValue: Bool { value > 0 }

    func enter(isWriter: Bool) {
        if isWriter { lock.lockForWriting() } else { lock.lockForReading() }
    }

    func leave(isWriter: Bool) {
        if isWriter { lock.unlockForWriting() } else { lock.unlockForReading() }
    }

    var waiterCount: Int {
        withUnsafePointer(to: lock) { ParkingLot.waiterCount(at: UnsafeRawPointer($0)) }
    }
}

@Suite struct ReaderWriterLockTests {
    @Test func `the word counts readers and tells of those who wait`() {
        let fixture = Fixture()
        let mayLeave = (0..<4).map { _ in Counter() }
        func reader(_ index: Int) -> Running {
            Running {
                fixture.lock.lockForReading()
                eventually { mayLeave[index].value == 1 }
                fixture.lock.unlockForReading()
            }
        }
        fixture.lock.lockForWriting()
        #expect(fixture.lock.rawWord == 1)
        #expect(!fixture.lock.tryLockForReading() && !fixture.lock.tryLockForWriting())
        fixture.lock.unlockForWriting()
        #expect(fixture.lock.rawWord == 0)

        var threads = [reader(0), reader(1)]
        eventually("two readers") { fixture.lock.rawWord == 8 }
        let writerMayLeave = Counter()
        threads.append(
            Running {
                fixture.lock.lockForWriting()
                eventually { writerMayLeave.value == 1 }
                fixture.lock.unlockForWriting()
            })
        eventually("a writer that waits") { fixture.lock.rawWord == 10 && fixture.waiterCount == 1 }
        // Who comes now, if only to read, waits behind the writer.
        #expect(fixture.lock.tryLockForReading() == false)
        threads += [reader(2), reader(3)]
        eventually { fixture.waiterCount == 3 }
        mayLeave[0].add()
        eventually("one reader") { fixture.lock.rawWord == 6 }
        mayLeave[1].add()
        eventually("the writer, readers waiting") { fixture.lock.rawWord == 3 }
        #expect(fixture.waiterCount == 2)
        writerMayLeave.add()
        eventually("both readers") { fixture.lock.rawWord == 8 }
        mayLeave[2].add()
        mayLeave[3].add()
        for thread in threads { thread.join() }
        #expect(fixture.lock.rawWord == 0)
    }

    /// The order of entry when `arrivals` wait behind a holder, by rule W3: groups of readers are
    /// sorted.
    private func expectedOrder(_ arrivals: [Bool], behindWriter: Bool) -> [[Int]] {
        var readers = arrivals.indices.filter { !arrivals[$0] }
        var writers = arrivals.indices.filter { arrivals[$0] }
        var order: [[Int]] = []
        var isReadersTurn = behindWriter
        while !readers.isEmpty || !writers.isEmpty {
            if isReadersTurn, !readers.isEmpty {
                order.append(readers)
                readers = []
            } else if !isReadersTurn, writers.isEmpty {
                order.append(readers)
                readers = []
            } else {
                order.append([writers.removeFirst()])
                isReadersTurn = true
                continue
            }
            isReadersTurn = false
        }
        return order
    }

    @Test(arguments: [false, true])
    func `turns alternate whatever the order of coming`(behindWriter: Bool) {
        // Every sequence of up to four readers and writers that queue up behind a writer, or behind
        // a reader. (Behind a reader the first to queue is a writer: readers before it would
        // enter.)
        for count in 1...4 {
            for pattern in 0..<(1 << count) {
                let arrivals = (0..<count).map { pattern & (1 << $0) != 0 }
                if !behindWriter && !arrivals[0] { continue }
                let fixture = Fixture()
                let log = Log()
                fixture.enter(isWriter: behindWriter)
                var threads: [Running] = []
                for (index, isWriter) in arrivals.enumerated() {
                    threads.append(
                        Running {
                            fixture.enter(isWriter: isWriter)
                            log.add("\(index)")
                            fixture.leave(isWriter: isWriter)
                        })
                    eventually { fixture.waiterCount == index + 1 }
                }
                fixture.leave(isWriter: behindWriter)
                for thread in threads { thread.join() }
                var entries = log.all.map { Int($0)! }
                for group in expectedOrder(arrivals, behindWriter: behindWriter) {
                    #expect(entries.prefix(group.count).sorted() == group, "\(arrivals): \(log.all)")
                    entries.removeFirst(group.count)
                }
                #expect(fixture.lock.rawWord == 0)
            }
        }
    }

    @Test func `readers exclude writers and writers exclude all`() {
        let fixture = Fixture()
        let reads = Counter()
        runThreads(5) { index in
            for iteration in 0..<2000 {
                if (index + iteration) % 4 == 0 {
                    fixture.lock.withWriteLock {
                        #expect(fixture.readersInside.value == 0)
                        fixture.value += 1
                    }
                } else {
                    fixture.lock.withReadLock {
                        fixture.readersInside.add()
                        reads.add(fixture.value >= 0 ? 1 : 0)
                        fixture.readersInside.add(-1)
                    }
                }
            }
        }
        #expect(fixture.value == 2500)
        #expect(reads.value == 7500)
        #expect(fixture.lock.rawWord == 0)
    }

    // The threads of the next tests tell each other of their progress by relaxed operations, which
    // order nothing: ThreadSanitizer reports a race if the lock does not order what they do.

    @Test func `a reader's reads come before the writes of a writer that follows`() {
        let fixture = Fixture()
        let hasLeft = RelaxedFlag()
        let reader = Running {
            _ = fixture.lock.withReadLock { fixture.hasValue }
            hasLeft.set()
        }
        eventually { hasLeft.isSet }
        fixture.lock.withWriteLock { fixture.value += 1 }
        reader.join()
    }

    @Test func `a writer's writes come before the reads of a reader that follows`() {
        let fixture = Fixture()
        let hasLeft = RelaxedFlag()
        let writer = Running {
            fixture.lock.withWriteLock { fixture.value = 1 }
            hasLeft.set()
        }
        eventually { hasLeft.isSet }
        #expect(fixture.lock.withReadLock { fixture.hasValue } == true)
        writer.join()
    }

    @Test func `the last reader hands over what the readers before it have read`() {
        let fixture = Fixture()
        fixture.lock.lockForReading()
        let (isInside, mayLeave, hasLeft) = (RelaxedFlag(), RelaxedFlag(), RelaxedFlag())
        let reader = Running {
            fixture.lock.lockForReading()
            isInside.set()
            eventually { mayLeave.isSet }
            _ = fixture.hasValue
            fixture.lock.unlockForReading()
            hasLeft.set()
        }
        eventually { isInside.isSet }
        let writer = Running { fixture.lock.withWriteLock { fixture.value += 1 } }
        eventually("the writer") { fixture.waiterCount == 1 }
        mayLeave.set()
        eventually { hasLeft.isSet }
        fixture.lock.unlockForReading()
        reader.join()
        writer.join()
        #expect(fixture.value == 1)
    }

    @Test func `overlapping readers let a writer in and a stream of writers lets a reader in`() {
        // Neither stream ends by itself: each runs until the thread of the other side has been let
        // in often enough.
        let fixture = Fixture()
        let (writes, reads, stop) = (Counter(), Counter(), Counter())
        let streams = (0..<6).map { index in
            Running {
                while stop.value == 0 {
                    if index < 3 {
                        fixture.lock.withReadLock { reads.add() }
                    } else {
                        fixture.lock.withWriteLock { writes.add() }
                    }
                }
            }
        }
        eventually("reads and writes") { reads.value >= 2000 && writes.value >= 2000 }
        stop.add()
        for stream in streams { stream.join() }
        #expect(fixture.lock.rawWord == 0)
    }

    @Test func `leaving without having entered ends the process`() async {
        await #expect(processExitsWith: .failure) { ReaderWriterLock().unlockForReading() }
        await #expect(processExitsWith: .failure) { ReaderWriterLock().unlockForWriting() }
        await #expect(processExitsWith: .failure) {
            let lock = ReaderWriterLock()
            lock.lockForReading()
            lock.unlockForWriting()
        }
        await #expect(processExitsWith: .failure) {
            let lock = ReaderWriterLock()
            lock.lockForWriting()
            lock.unlockForReading()
        }
    }
}
