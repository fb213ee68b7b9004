#if ModelCheck
// What the checks of the models see of the parking lot, between two steps.

import StillpointModel
import StillpointPlatform

@testable import StillpointSynchronization

enum ParkingInspection {
    /// How many wait at this address; `nil` while somebody is at work under the bucket's lock.
    static func waiterCount(at address: UnsafeRawPointer) -> Int? {
        quietly {
            let key = UInt(bitPattern: address)
            let bucket = ParkingTable.bucket(of: key)
            guard isFree(bucket) else { return nil }
            var count = 0
            _ = bucket.first { waiter in
                if waiter.pointee.address == key { count += 1 }
                return false
            }
            return count
        }
    }

    /// P1 for the bucket of this address, unless somebody is at work under its lock: a whole queue of those that are
    /// queued and not woken.
    static func isWhole(at address: UnsafeRawPointer) -> Bool {
        quietly {
            let bucket = ParkingTable.bucket(of: UInt(bitPattern: address))
            guard isFree(bucket) else { return true }
            let queue = (bucket.line + 8).assumingMemoryBound(to: ParkedQueue.self)
            var before: UnsafeMutablePointer<ParkedWaiter>?
            var next = queue.pointee.first
            while let waiter = next {
                guard waiter.pointee.isQueued, waiter.pointee.previous == before,
                    waiter.pointee.isWoken.load(ordering: .relaxed) == 0
                else { return false }
                before = waiter
                next = waiter.pointee.next
            }
            return queue.pointee.last == before
        }
    }

    /// Whether nobody holds the bucket's lock, the real one or the one as specified.
    private static func isFree(_ bucket: ParkingBucket) -> Bool {
        let word = bucket.line.assumingMemoryBound(to: Atomic<UInt32>.self)
        guard word.pointee.load(ordering: .relaxed) == 0, ModelLock.tryLock(at: bucket.line) else { return false }
        ModelLock.unlock(at: bucket.line)
        return true
    }
}
#endif
