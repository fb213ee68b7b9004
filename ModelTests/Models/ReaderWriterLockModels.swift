#if ModelCheck
// Reader-writer locks: W1 to W4, [write], [read] and [hand-over] of ReaderWriterLock.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var readerWriterLockModels: [ProtocolModel] {
    [
        lockTwoWriters, lockWriterAndReader, lockReadersThenWriter, lockWriterThenReaders, lockTwoWritersAndReader,
        lockTries, lockStrangeWake, lockFreed, lockReadAgain, lockFourThreads,
    ]
}

private struct LockScene {
    let lock: UnsafeMutablePointer<ReaderWriterLock>
    /// Plain: a race, unless writers are alone and each edge is there.
    let data: UnsafeMutablePointer<Int>
    let model: Model

    init(_ model: Model) {
        Specification.take(.bucket)
        self.model = model
        lock = model.allocate(ReaderWriterLock.self)
        lock.initialize(to: ReaderWriterLock())
        data = model.allocate(Int.self)
        model.name(lock, "lock")
        LockMoves.watch(lock, model)
        let lock = lock
        model.finally { model.expect(lock.pointee.rawWord == 0, "not free in the end") }
    }

    func read() { lock.pointee.withReadLock { look() } }
    func look() { model.expect(data.pointee >= 0, "what a reader found") }
    func write() { lock.pointee.withWriteLock { data.pointee += 1 } }

    func reader(_ name: String) { model.thread(name) { read() } }
    func writer(_ name: String) { model.thread(name) { write() } }

    func expectWritten(_ count: Int) {
        model.finally { model.expect(data.pointee == count, "\(data.pointee) writes of \(count) in the end") }
    }
}

/// The moves of the word, as the source's opening comment lists them, and what is left in the queue after each.
private final class LockMoves {
    private var word: UInt32 = 0
    private let lock: UnsafeMutablePointer<ReaderWriterLock>

    private init(_ lock: UnsafeMutablePointer<ReaderWriterLock>) { self.lock = lock }

    static func watch(_ lock: UnsafeMutablePointer<ReaderWriterLock>, _ model: Model) {
        let moves = LockMoves(lock)
        model.invariant("W1 W2 W3") { moves.isAllowed() }
    }

    /// Called after every step.
    private func isAllowed() -> Bool {
        let old = word
        word = lock.pointee.rawWord
        if word == old { return true }
        switch old {
        case 1: return word == 0 || word == 3
        case 3: return isHandOver(byWriter: true)
        case 6: return isHandOver(byWriter: false)
        case _ where old & 3 == 2: return word == old - 4
        case 0: return word == 1 || word == 4
        default: return word == old + 4 || word == old - 4 || word == old + 2
        }
    }

    /// The bucket's lock is held: the queue is what the thread that hands over has left.
    private func isHandOver(byWriter: Bool) -> Bool {
        let isWriter = word & 1 != 0, readers = word >> 2, isParked = word & 2 != 0
        guard !(isWriter && readers > 0), isParked == (hasWaiter(kind: 0) || hasWaiter(kind: 1)) else { return false }
        if word == 0 { return true }
        if isWriter { return !byWriter || !hasWaiter(kind: 0) }
        return readers > 0 && !hasWaiter(kind: 0) && (byWriter || !hasWaiter(kind: 1))
    }

    private func hasWaiter(kind: UInt) -> Bool {
        let key = UInt(bitPattern: lock)
        return ParkingTable.bucket(of: key).first { $0.pointee.address == key && $0.pointee.kind == kind } != nil
    }
}

private let lockTwoWriters = ProtocolModel(
    "reader-writer lock: two writers", "W1 [write] [hand-over]: writer after writer.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 3)]
) { model in
    let scene = LockScene(model)
    for name in ["first writer", "second writer"] { scene.writer(name) }
    scene.expectWritten(2)
}

private let lockWriterAndReader = ProtocolModel(
    "reader-writer lock: a writer and a reader", "W1 [write] [read] [hand-over]: in either order.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 3)]
) { model in
    let scene = LockScene(model)
    scene.writer("writer")
    scene.reader("reader")
}

private let lockReadersThenWriter = ProtocolModel(
    "reader-writer lock: two readers and a writer",
    "W1 W2 W3 [read]: the last reader hands over, also for the one before.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = LockScene(model)
    for name in ["first reader", "second reader"] { scene.reader(name) }
    scene.writer("writer")
    scene.expectWritten(1)
}

private let lockWriterThenReaders = ProtocolModel(
    "reader-writer lock: a writer that reads later, and readers",
    "W2 W3 [write]: a writer hands over to all readers that wait; who enters beside them sees what it wrote.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = LockScene(model)
    model.thread("writer") {
        scene.write()
        scene.read()
    }
    for name in ["first reader", "second reader"] { scene.reader(name) }
}

private let lockTwoWritersAndReader = ProtocolModel(
    "reader-writer lock: two writers and a reader",
    "W2 W3: a reader waits for one writer, a writer for the readers' turn.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.depthFirst(preemptions: 3, staleReads: 1)]
) { model in
    let scene = LockScene(model)
    for name in ["first writer", "second writer"] { scene.writer(name) }
    scene.reader("reader")
    scene.expectWritten(2)
}

private let lockTries = ProtocolModel(
    "reader-writer lock: tries", "W1 W2: who only tries comes in past nobody.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
) { model in
    let scene = LockScene(model)
    model.thread("trying writer") {
        guard scene.lock.pointee.tryLockForWriting() else { return }
        scene.data.pointee += 1
        scene.lock.pointee.unlockForWriting()
    }
    model.thread("trying reader") {
        guard scene.lock.pointee.tryLockForReading() else { return }
        scene.look()
        scene.lock.pointee.unlockForReading()
    }
    scene.writer("writer")
}

private let lockStrangeWake = ProtocolModel(
    "reader-writer lock: a late wake for something else", "W1: a wake without the token hands over nothing.",
    smoke: [.depthFirst(preemptions: 2, staleReads: 1)], long: [.sleepSets(staleReads: 1)]
) { model in
    let scene = LockScene(model)
    scene.writer("writer")
    scene.reader("reader")
    model.thread("stranger") { ParkingLot.unparkAll(at: scene.lock) }
}

private let lockFreed = ProtocolModel(
    "reader-writer lock: freed by the last writer",
    "W4: who leaves touches the word no more when another may have entered.",
    smoke: [.sleepSets(staleReads: 1)], long: [.sleepSets(staleReads: 2)]
) { model in
    Specification.take(.bucket)
    let lock = model.allocate(ReaderWriterLock.self)
    lock.initialize(to: ReaderWriterLock())
    // Plain, guarded by the lock.
    let hasEntered = model.allocate(Bool.self)
    func free() { ModelMemory.freed(at: lock, byteCount: MemoryLayout<ReaderWriterLock>.size) }
    model.thread("reader") {
        lock.pointee.lockForReading()
        let isLast = hasEntered.pointee
        lock.pointee.unlockForReading()
        if isLast { free() }
    }
    model.thread("writer") {
        lock.pointee.lockForWriting()
        hasEntered.pointee = true
        lock.pointee.unlockForWriting()
    }
}

private let lockReadAgain = ProtocolModel(
    "reader-writer lock: a reader reads again",
    "Not recursive: a writer that has come in between waits for the reader, who waits for it.",
    failsBy: "deadlock", smoke: [.depthFirst(preemptions: 2, staleReads: 0)]
) { model in
    let scene = LockScene(model)
    model.thread("reader") { scene.lock.pointee.withReadLock { scene.read() } }
    scene.writer("writer")
}

private let lockFourThreads = ProtocolModel(
    "reader-writer lock: two readers and two writers", "W1 W2 W3: in larger company, by chance.",
    smoke: [.random(seed: 1, runs: 3_000), .priorities(seed: 1, depth: 4, runs: 3_000)],
    long: [.random(seed: 2, runs: 300_000), .priorities(seed: 2, depth: 4, runs: 300_000)]
) { model in
    let scene = LockScene(model)
    for name in ["first reader", "second reader"] {
        model.thread(name) { for _ in 0..<2 { scene.read() } }
    }
    for name in ["first writer", "second writer"] { scene.writer(name) }
    scene.expectWritten(2)
}
#endif
