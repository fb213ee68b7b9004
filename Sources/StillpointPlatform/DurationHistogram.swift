// Durations, recorded by any thread at any time and read while recording goes on: pauses, times to
// safepoint. The reader wants percentiles of millions of values and the exact list of a few; the
// recorder must neither wait nor allocate.
//
// A recording writes, in this order: the exact value, if it is among the first 19; the total; the
// longest; its bucket.
// H1  What a snapshot counts, it has whole: its total and its longest cover every counted value.
// H2  What overlaps the snapshot may be missed, or be in the total, the longest or the exact values
//     alone.
// H3  A histogram at rest is read exactly.
// [record]  a recording's writes before its bucket  ->  the reads of a snapshot that counts it,
//     after the buckets
//
// A recording is two additions and two loads, and never waits. Only a new longest value may be
// tried again: when another recorder has raised the longest meanwhile, and not beyond it.

internal import Synchronization

/// Not the seam's: a histogram lies on this floor, and is no part of the protocols that record in it.
private typealias Atomic = Synchronization.Atomic

/// A histogram of durations in nanoseconds: any thread records, any thread takes snapshots.
/// Nothing is allocated between `init` and the end but what a snapshot returns. 15 KiB.
@safe public struct DurationHistogram: ~Copyable, @unchecked Sendable {
    /// How many exact values are kept: the first ones since `init` or `reset`.
    public static let exactValueCount = 19

    // Words of `words`, each with the discipline: atomic, edge [record].
    private static let total = 0
    private static let longest = 1
    private static let claimed = 2  // exact values claimed, and no more counted once all are
    private static let exactValues = 3  // value + 1 each, UInt64.max as it is; 0: not written
    private static let buckets = exactValues + exactValueCount
    private static let wordCount = buckets + DurationBuckets.count

    private let words: UnsafeMutablePointer<Atomic<UInt64>>  // immutable; lives as long as this value

    /// An empty histogram. Throws `ENOMEM`.
    public init() throws(PlatformError) {
        let space = try unsafe RawMemory.allocate(
            byteCount: Self.wordCount * MemoryLayout<Atomic<UInt64>>.stride, alignment: 64)
        unsafe words = space.bindMemory(to: Atomic<UInt64>.self, capacity: Self.wordCount)
        for index in 0..<Self.wordCount { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe words.deinitialize(count: Self.wordCount)
        unsafe RawMemory.free(words)
    }

    /// Counts one duration. The total is kept modulo 2^64 (584 years).
    public func record(nanoseconds: UInt64) {
        // Relaxed throughout: what orders these writes for a snapshot is the bucket's release,
        // [record].
        if unsafe words[Self.claimed].load(ordering: .relaxed) < UInt64(Self.exactValueCount) {
            let place = unsafe words[Self.claimed].wrappingAdd(1, ordering: .relaxed).oldValue
            if place < UInt64(Self.exactValueCount) {
                let written = nanoseconds == .max ? nanoseconds : nanoseconds + 1
                unsafe words[Self.exactValues + Int(place)].store(written, ordering: .relaxed)
            }
        }
        unsafe words[Self.total].wrappingAdd(nanoseconds, ordering: .relaxed)
        raiseLongest(to: nanoseconds)
        let bucket = Self.buckets + DurationBuckets.index(of: nanoseconds)
        unsafe words[bucket].wrappingAdd(1, ordering: .releasing)  // [record]
    }

    /// By compare-and-swap: `Atomic.max` compares unsigned numbers as if they were signed
    /// (swiftlang/swift issue 91176).
    private func raiseLongest(to nanoseconds: UInt64) {
        var known = unsafe words[Self.longest].load(ordering: .relaxed)
        while known < nanoseconds {
            let (exchanged, found) = unsafe words[Self.longest].weakCompareExchange(
                expected: known, desired: nanoseconds, ordering: .relaxed)
            if exchanged { return }
            known = found
        }
    }

    /// What was recorded up to now. Recordings that overlap the call are in it whole, in part or
    /// not at all (H1, H2).
    public func snapshot() -> DurationSummary {
        var filled: [DurationSummary.Bucket] = []
        var count: UInt64 = 0
        for index in 0..<DurationBuckets.count {
            let here = unsafe words[Self.buckets + index].load(ordering: .acquiring)  // [record]
            guard here > 0 else { continue }
            count += here
            filled.append(.init(index: index, countUpToHere: count))
        }
        // Relaxed: later than the acquiring loads above, whose edge [record] makes these cover what
        // was counted.
        var values: [UInt64] = []
        for place in 0..<Self.exactValueCount {
            let written = unsafe words[Self.exactValues + place].load(ordering: .relaxed)
            if written > 0 { values.append(written == .max ? written : written - 1) }
        }
        return DurationSummary(
            count: count,
            totalNanoseconds: unsafe words[Self.total].load(ordering: .relaxed),
            longestNanoseconds: unsafe words[Self.longest].load(ordering: .relaxed),
            firstValues: values, buckets: filled)
    }

    /// Empties the histogram. Recordings that overlap the call may be kept whole, in part or not at
    /// all: to lose or halve none, reset where nobody records.
    public func reset() {
        // Relaxed: nothing is handed over; a recording begun after this call on a thread that knows
        // of it comes later in each word's own order.
        for index in 0..<Self.wordCount { unsafe words[index].store(0, ordering: .relaxed) }
    }
}
