#if ModelCheck
// The mutex that its holder may lock again: R1 to R3 of RecursiveMutex.swift.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

var recursiveMutexModels: [ProtocolModel] { [recursion, triesAndDeadlines] }

private typealias MutexPointer = UnsafeMutablePointer<RecursiveMutex>

extension Model {
    fileprivate func allocateRecursiveMutex() -> (MutexPointer, UnsafeMutablePointer<Int>) {
        let mutex = allocate(RecursiveMutex.self)
        mutex.initialize(to: RecursiveMutex())
        finally {
            self.expect(
                mutex.pointee.ownerIdentity == 0 && mutex.pointee.recursionLevel == 0, "R1, R3: not free in the end")
        }
        return (mutex, allocate(Int.self))
    }

    /// The caller has locked it once: locks it once more, and lets all go.
    fileprivate func useTwice(_ mutex: MutexPointer, _ data: UnsafeMutablePointer<Int>) {
        expect(mutex.pointee.isLockedByCurrentThread && mutex.pointee.recursionLevel == 0, "R2, R3: locked")
        data.pointee += 1
        mutex.pointee.lock()
        expect(mutex.pointee.isLockedByCurrentThread && mutex.pointee.recursionLevel == 1, "R2, R3: locked twice")
        mutex.pointee.unlock()
        expect(mutex.pointee.isLockedByCurrentThread && mutex.pointee.recursionLevel == 0, "R2, R3: unlocked once")
        data.pointee += 1
        mutex.pointee.unlock()
        expect(!mutex.pointee.isLockedByCurrentThread, "R2: unlocked")
    }
}

private var recursion: ProtocolModel {
    ProtocolModel(
        "recursive mutex: two threads",
        "R1 to R3: the holder alone finds itself the owner; free when unlocked as often as locked",
        smoke: [.depthFirst(preemptions: 2, staleReads: 2), .random(seed: 1, runs: 3000)],
        long: [.sleepSets(staleReads: 2)]
    ) { model in
        Specification.take(.bucket, .mutex)
        let (mutex, data) = model.allocateRecursiveMutex()
        for name in ["a", "b"] {
            model.thread(name) {
                model.expect(!mutex.pointee.isLockedByCurrentThread, "R2: not locked")
                mutex.pointee.lock()
                model.useTwice(mutex, data)
            }
        }
        model.finally { model.expect(data.pointee == 4, "two held the lock at once") }
    }
}

private var triesAndDeadlines: ProtocolModel {
    ProtocolModel(
        "recursive mutex: tries and deadlines", "R1 to R3 when a try or a deadline fails",
        smoke: [.depthFirst(preemptions: 2, staleReads: 1)],
        long: [.depthFirst(preemptions: 3, staleReads: 1), .priorities(seed: 2, depth: 4, runs: 500_000)]
    ) { model in
        Specification.take(.bucket)
        let (mutex, data) = model.allocateRecursiveMutex()
        model.thread("trier") {
            guard mutex.pointee.tryLock() else { return }
            model.expect(mutex.pointee.tryLock(), "R2: a holder's try")
            mutex.pointee.unlock()
            model.useTwice(mutex, data)
        }
        model.thread("hurried") {
            guard mutex.pointee.lock(untilNanoseconds: 1_000_000_100) else { return }
            model.expect(mutex.pointee.lock(untilNanoseconds: 0), "R2: a holder's deadline")
            mutex.pointee.unlock()
            model.useTwice(mutex, data)
        }
    }
}
#endif
