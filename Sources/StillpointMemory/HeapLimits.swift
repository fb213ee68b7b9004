// The numbers that the heaps' slow paths go by, in one place.

internal import StillpointPlatform

enum HeapLimits {
    /// How many blocks of a page are used at the most. Smaller in stress runs alone. atomic, no edge: set before there
    /// are heaps
    static let blocksInPage = Atomic<Int>(Int.max)
    /// How much of a page is linked at a time, in bytes: what has never been linked stays untouched memory.
    static var extensionByteCount: Int { 4096 }
    /// How many full pages a thread's heap looks at before it takes a new one. They take turns, so a page whose
    /// blocks others have freed is found after at most 1 / 16 of the full pages' number in new ones.
    static var fullPagesLookedAt: Int { 16 }
    /// How many abandoned or freed pages are looked at before a new one is taken. They take turns.
    static var abandonedPagesLookedAt: Int { 8 }
    /// How many handed-out bytes a thread's heap counts for itself before the interpreter's hears of them.
    static var reportByteCount: Int { 64 << 10 }
    /// Where the absent page stands in an `InterpreterHeap`: after one pointer. A test reads it there.
    static var absentPageOffset: Int { 8 }
}

extension InterpreterHeap {
    /// Makes every page hold at most `count` blocks from now on, in all heaps of the process, so that pages run full
    /// and empty often. For stress programs alone; before the first heap is made.
    public static func limitPages(toBlocks count: Int) {
        require(count > 0, "pages of no blocks")
        HeapLimits.blocksInPage.store(count, ordering: .relaxed)
    }
}
