// The stack of objects that are marked and whose references are still to be followed.
//
// It is raw memory, had before the pause. When it is full it doubles; where that fails (or would pass its limit) the
// push is dropped and the stack says so: the object stays marked, and the marker finds what it refers to by walking
// the heap for marked objects until a walk drops nothing (Marking.swift). So marking needs no memory that it
// does not have.

internal import StillpointPlatform

/// Addresses of objects. One thread's.
@safe
struct MarkStack: ~Copyable {
    private var base: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var count = 0
    private var capacity: Int
    private let limit: Int
    /// Whether a push was dropped since the last `takeOverflow`.
    private var hasOverflowed = false

    static let initialCapacity = 1 << 14

    /// - Parameter limit: the most entries it may grow to.
    init(limit: Int = .max) throws(PlatformError) {
        require(limit > 0, "a mark stack without room")
        capacity = min(Self.initialCapacity, limit)
        self.limit = limit
        let memory = try unsafe RawMemory.allocate(byteCount: capacity * Self.entryByteCount)
        unsafe base = memory.bindMemory(to: UnsafeMutableRawPointer.self, capacity: capacity)
    }

    deinit { unsafe RawMemory.free(base) }

    private static var entryByteCount: Int { unsafe MemoryLayout<UnsafeMutableRawPointer>.stride }

    @inline(__always)
    mutating func push(_ object: UnsafeMutableRawPointer) {
        if count == capacity, !growSlow() { return }
        unsafe base[count] = object
        count += 1
    }

    @inline(__always)
    mutating func pop() -> UnsafeMutableRawPointer? {
        if count == 0 { return nil }
        count -= 1
        return unsafe base[count]
    }

    /// Whether pushes were dropped since the last call.
    mutating func takeOverflow() -> Bool {
        defer { hasOverflowed = false }
        return hasOverflowed
    }

    @inline(never)
    private mutating func growSlow() -> Bool {
        let (twice, isTooMuch) = capacity.multipliedReportingOverflow(by: 2 * Self.entryByteCount)
        let wanted = isTooMuch ? limit : min(twice / Self.entryByteCount, limit)
        guard wanted > capacity,
            let memory = unsafe try? RawMemory.allocate(byteCount: wanted * Self.entryByteCount)
        else {
            hasOverflowed = true
            return false
        }
        let grown = unsafe memory.bindMemory(to: UnsafeMutableRawPointer.self, capacity: wanted)
        unsafe grown.initialize(from: base, count: count)
        unsafe RawMemory.free(base)
        unsafe base = grown
        capacity = wanted
        return true
    }
}
