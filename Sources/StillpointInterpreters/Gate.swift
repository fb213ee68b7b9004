// The gate of a runtime or an interpreter: who uses it counts as inside, and its end waits until nobody is.
//
// What lies behind the gate (rosters, records, heaps) is raw memory that the end frees. Whoever wants to touch
// it from outside passes the gate first; once it is closing, nobody does.
//
//   open, n inside --close--> closing, n inside --the last one leaves--> closing, nobody inside
//
// T1  After `close` has returned nobody is inside, and nobody gets in.
// T2  `enter` never waits.
// [leave]  what was done inside  ->  what `close` and `tryClose` return to

internal import StillpointPlatform

/// A count of users with an end. In raw memory that outlives its users: an object holds it.
struct Gate: ~Copyable {
    /// Bit 0: closing. Above: how many are inside. Futex word of who closes. atomic, edges [leave]
    private let word = Atomic<UInt32>(0)

    static func make() throws(PlatformError) -> UnsafeMutablePointer<Gate> {
        let memory = try unsafe RawMemory.allocate(byteCount: MemoryLayout<Gate>.stride)
        let gate = unsafe memory.bindMemory(to: Gate.self, capacity: 1)
        unsafe gate.initialize(to: Gate())
        return unsafe gate
    }

    static func destroy(_ gate: UnsafeMutablePointer<Gate>) {
        unsafe gate.deinitialize(count: 1)
        unsafe RawMemory.free(gate)
    }

    private static let closing: UInt32 = 1
    private static let one: UInt32 = 2

    /// Whether the end has begun.
    borrowing func isClosing() -> Bool {
        word.load(ordering: .acquiring) & Self.closing != 0  // [leave]
    }

    /// How many are inside. Any thread, for messages.
    borrowing func count() -> Int {
        Int(word.load(ordering: .relaxed) / Self.one)  // an opinion: orders nothing
    }

    /// Counts the caller as inside; false once the gate is closing.
    borrowing func enter() -> Bool {
        // Relaxed: the value is only what the exchange expects.
        var old = word.load(ordering: .relaxed)
        while old & Self.closing == 0 {
            require(old < UInt32.max - Self.one, "more users than a gate can count")
            let (done, found) = word.weakCompareExchange(
                expected: old, desired: old + Self.one, ordering: .acquiring)  // what made the gate
            if done { return true }
            old = found
        }
        return false
    }

    /// Counts a caller that is inside once more, closing or not.
    borrowing func enterAgain() {
        let old = word.wrappingAdd(Self.one, ordering: .relaxed).oldValue  // inside already: nothing to see
        assert(old / Self.one > 0, "entered again by somebody outside")
    }

    /// Takes an `enter` back. [leave]
    static func leave(_ gate: UnsafePointer<Gate>) {
        let left = unsafe gate.pointee.word.wrappingSubtract(one, ordering: .acquiringAndReleasing).newValue
        assert(left / one < UInt32.max / one / 2, "more left than entered")
        // The gate may be gone by now: only its address is used.
        if left == closing { unsafe Futex.wake(futexWord(of: gate)) }
    }

    /// Lets nobody in from now on; false if somebody else did that already.
    borrowing func beginClosing() -> Bool {
        word.bitwiseOr(Self.closing, ordering: .acquiringAndReleasing).oldValue & Self.closing == 0  // [leave]
    }

    /// Closes a gate that nobody is inside of; else leaves it as it is.
    borrowing func tryClose() -> Bool {
        word.compareExchange(expected: 0, desired: Self.closing, ordering: .acquiring).exchanged  // [leave]
    }

    /// Waits until nobody is inside of a closing gate.
    static func waitUntilEmpty(_ gate: UnsafePointer<Gate>) {
        while true {
            let old = unsafe gate.pointee.word.load(ordering: .acquiring)  // [leave]
            assert(old & closing != 0, "waiting for an open gate to empty")
            if old == closing { return }
            _ = unsafe Futex.wait(on: futexWord(of: gate), while: old)
        }
    }

    private static func futexWord(of gate: UnsafePointer<Gate>) -> UnsafePointer<Atomic<UInt32>> {
        // The word is the gate's only field.
        unsafe UnsafeRawPointer(gate).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}
