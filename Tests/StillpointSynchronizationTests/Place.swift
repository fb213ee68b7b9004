// What the tests of this floor share: records of what happened, and places to park at.

import Glibc
import StillpointPlatform
import Synchronization
import StillpointSynchronization
import StillpointTestSupport
import Testing

/// A deadline a millisecond away.
func soon() -> UInt64 { MonotonicClock.nanoseconds() + 1_000_000 }

func sleepMilliseconds(_ count: Int) { usleep(UInt32(count * 1000)) }

/// A number that tests share.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)
    var value: Int { number.load(ordering: .sequentiallyConsistent) }
    func add(_ amount: Int = 1) { number.add(amount, ordering: .sequentiallyConsistent) }
}

/// Tells another thread something without ordering anything.
final class RelaxedFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// What happened, in order.
final class Log: @unchecked Sendable {
    // Not Synchronization.Mutex: ThreadSanitizer does not see into it.
    private let mutex = ParkingMutex()
    private var entries: [String] = []
    var all: [String] { mutex.withLock { entries } }
    func add(_ entry: String) { mutex.withLock { entries.append(entry) } }
}

/// A variable without any synchronisation of its own: ThreadSanitizer sees whether a lock protects
/// it.
final class Unprotected<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

/// Addresses to park at: memory that lives to the end of the process.
struct Place: @unchecked Sendable {
    let address: UnsafeRawPointer
    init() {
        address = .init(UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))
        keepForever(address)
    }
    init(at address: UnsafeRawPointer) { self.address = address }
}

/// A 32-bit word that lives to the end of the process.
struct Word: @unchecked Sendable {
    let pointer: UnsafePointer<Atomic<UInt32>>
    init(_ value: UInt32 = 0) {
        let memory = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
        memory.initialize(to: Atomic(value))
        pointer = UnsafePointer(memory)
        keepForever(memory)
    }
    init(at pointer: UnsafePointer<Atomic<UInt32>>) { self.pointer = pointer }
    var value: UInt32 { pointer.pointee.load(ordering: .sequentiallyConsistent) }
    var waiterCount: Int { ParkingLot.waiterCount(at: UnsafeRawPointer(pointer)) }
}
