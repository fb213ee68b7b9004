// OS threads for tests, with closures as bodies.

import Glibc
import StillpointPlatform
import Synchronization
import StillpointSynchronization
import Testing

/// A running OS thread.
struct TestThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let thread: SystemThread

    init(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        do {
            thread = try SystemThread.start(
                name: "test", argument: context,
                body: { Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run() })
        } catch {
            fatalError("a test's thread: \(error)")
        }
    }

    func join() { thread.join() }
}

/// Runs `body` in `count` threads and waits for them all.
func runThreads(_ count: Int, _ body: @escaping @Sendable (_ index: Int) -> Void) {
    let threads = (0..<count).map { index in TestThread { body(index) } }
    for thread in threads { thread.join() }
}

/// Waits until `condition` holds: what it waits for must come. After a minute the test is stuck,
/// and ends the process.
func waitUntil(_ what: String = "a condition", _ condition: () -> Bool) {
    let end = MonotonicClock.nanoseconds() + 60_000_000_000
    while !condition() {
        if MonotonicClock.nanoseconds() > end { fatalError("waited in vain for \(what)") }
        usleep(50)
    }
}

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

/// A sequence of pseudo-random numbers that replays from its seed.
struct Replayable: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Addresses to park at: memory that lives to the end of the process.
struct Place: @unchecked Sendable {
    let address: UnsafeRawPointer
    init() { address = .init(UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)) }
    init(at address: UnsafeRawPointer) { self.address = address }
}

/// A 32-bit word that lives to the end of the process.
struct Word: @unchecked Sendable {
    let pointer: UnsafePointer<Atomic<UInt32>>
    init(_ value: UInt32 = 0) {
        let memory = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
        memory.initialize(to: Atomic(value))
        pointer = UnsafePointer(memory)
    }
    init(at pointer: UnsafePointer<Atomic<UInt32>>) { self.pointer = pointer }
    var value: UInt32 { pointer.pointee.load(ordering: .sequentiallyConsistent) }
    var waiterCount: Int { ParkingLot.waiterCount(at: UnsafeRawPointer(pointer)) }
}
