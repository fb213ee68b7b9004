import StillpointTestSupport
import Synchronization
import Testing

@testable import StillpointPlatform

/// Bucket boundaries by addition alone: 64 buckets of width 1, then 32 of each doubled width, up to the end of UInt64.
private func boundariesByAddition() -> [(lowest: UInt64, highest: UInt64)] {
    var boundaries: [(UInt64, UInt64)] = []
    var (low, width, left) = (UInt64(0), UInt64(1), 64)
    while true {
        let high = low + (width - 1)
        boundaries.append((low, high))
        if high == .max { return boundaries }
        low = high + 1
        left -= 1
        if left == 0 { (width, left) = (width * 2, 32) }
    }
}

@Suite struct DurationBucketsTests {
    @Test func `every boundary of every bucket is where addition puts it`() {
        let boundaries = boundariesByAddition()
        #expect(boundaries.count == DurationBuckets.count)
        for (index, (lowest, highest)) in boundaries.enumerated() {
            #expect(DurationBuckets.lowest(of: index) == lowest)
            #expect(DurationBuckets.highest(of: index) == highest)
            #expect(DurationBuckets.index(of: lowest) == index)
            #expect(DurationBuckets.index(of: highest) == index)
            #expect(DurationBuckets.index(of: lowest + (highest - lowest) / 2) == index)
        }
    }

    @Test func `every value up to 100,000 lies in the bucket that a search finds`() {
        let boundaries = boundariesByAddition()
        var index = 0
        for value in UInt64(0)..<100_000 {
            while boundaries[index].highest < value { index += 1 }
            guard DurationBuckets.index(of: value) == index else {
                Issue.record("\(value) in bucket \(DurationBuckets.index(of: value)), not \(index)")
                return
            }
        }
    }

    @Test func `a bucket is at most a thirty-second as wide as its values are large`() {
        for index in 64..<DurationBuckets.count {
            let lowest = DurationBuckets.lowest(of: index)
            #expect(DurationBuckets.highest(of: index) - lowest < lowest / 32)
        }
    }
}

@Suite struct DurationHistogramTests {
    @Test func `an empty histogram has no values and zeros`() throws {
        let summary = try DurationHistogram().snapshot()
        #expect(summary.count == 0)
        #expect(summary.totalNanoseconds == 0)
        #expect(summary.longestNanoseconds == 0)
        #expect(summary.meanNanoseconds == 0)
        #expect(summary.firstValues.isEmpty)
        for percent in [-1, 0, 50, 100, 200, Double.nan] {
            #expect(summary.percentile(percent) == 0)
        }
    }

    @Test(arguments: 1...25)
    func `the first 19 values are kept exactly and in order`(count: Int) throws {
        let histogram = try DurationHistogram()
        let values = (0..<count).map { UInt64($0 * 7919 % 1009) * 1_000_003 }
        for value in values { histogram.record(nanoseconds: value) }
        let summary = histogram.snapshot()
        #expect(summary.count == UInt64(count))
        #expect(summary.firstValues == Array(values.prefix(19)))
        #expect(summary.totalNanoseconds == values.reduce(0, +))
        #expect(summary.longestNanoseconds == values.max())
        #expect(summary.meanNanoseconds == values.reduce(0, +) / UInt64(count))
        if count < 20 {
            for rank in 1...count {
                let percent = Double(rank) * 100 / Double(count)
                #expect(summary.percentile(percent) == values.sorted()[rank - 1])
            }
        }
    }

    @Test func `the smallest and the largest of all values are kept`() throws {
        let histogram = try DurationHistogram()
        histogram.record(nanoseconds: 0)
        histogram.record(nanoseconds: .max)
        histogram.record(nanoseconds: .max - 2)
        let few = histogram.snapshot()
        #expect(few.firstValues == [0, .max, .max - 2])
        #expect(few.longestNanoseconds == .max)
        for _ in 0..<30 { histogram.record(nanoseconds: .max) }
        let many = histogram.snapshot()
        #expect(many.count == 33)
        #expect(many.percentile(100) == .max)
        #expect(many.percentile(0) == 0)
    }

    @Test func `percentiles of many values agree with the sorted list to the width of a bucket`() throws {
        var generator = SplitMix64(seed: newSeed("percentiles"))
        for count in [20, 21, 100, 1000, 4321] {
            let histogram = try DurationHistogram()
            var values: [UInt64] = []
            for _ in 0..<count {
                let value = generator.next() >> UInt64.random(in: 20...63, using: &generator)
                values.append(value)
                histogram.record(nanoseconds: value)
            }
            values.sort()
            let summary = histogram.snapshot()
            #expect(summary.count == UInt64(count))
            #expect(summary.totalNanoseconds == values.reduce(0, &+))
            #expect(summary.percentile(100) == values.last)
            for permille in 1...1000 {
                let rank = (permille * count + 999) / 1000
                let exact = values[max(rank, 1) - 1]
                let told = summary.percentile(Double(permille) / 10)
                #expect(told >= exact && told <= exact + exact / 32, "\(permille) of \(count)")
            }
        }
    }

    @Test func `99.9 percent of 1,000 values is the 999th`() throws {
        let histogram = try DurationHistogram()
        for _ in 0..<999 { histogram.record(nanoseconds: 10) }
        histogram.record(nanoseconds: 60)
        #expect(histogram.snapshot().percentile(99.9) == 10)
        #expect(histogram.snapshot().percentile(99.91) == 60)
        #expect(histogram.snapshot().percentile(.nan) == 10)
    }

    @Test func `a reset histogram is as new`() throws {
        let histogram = try DurationHistogram()
        for value in 1...100 { histogram.record(nanoseconds: UInt64(value)) }
        histogram.reset()
        #expect(histogram.snapshot() == (try DurationHistogram().snapshot()))
        histogram.record(nanoseconds: 5)
        #expect(histogram.snapshot().firstValues == [5])
    }

    @Test func `recordings of many threads are all counted, and snapshots meanwhile cover what they count`() throws {
        let shared = try SharedHistogram()
        let address = UnsafeMutablePointer<SharedHistogram>.allocate(capacity: 1)
        address.initialize(to: shared)
        defer {
            address.deinitialize(count: 1)
            address.deallocate()
        }
        let threads = try (0..<SharedHistogram.threadCount).map { _ in
            try SystemThread.start(name: "recorder", argument: address) { SharedHistogram.record($0!) }
        }
        var earlier: UInt64 = 0
        while address.pointee.running.load(ordering: .acquiring) > 0 {
            let summary = address.pointee.histogram.snapshot()
            #expect(summary.count >= earlier)
            #expect(summary.percentile(100) <= summary.longestNanoseconds)
            #expect(summary.totalNanoseconds >= summary.longestNanoseconds)
            #expect(summary.firstValues.count <= 19)
            earlier = summary.count
        }
        for thread in threads { thread.join() }
        let summary = address.pointee.histogram.snapshot()
        let (each, count) = (SharedHistogram.recordingsEach, UInt64(SharedHistogram.threadCount))
        #expect(summary.count == each * count)
        #expect(summary.totalNanoseconds == count * (each * (each - 1) / 2))
        #expect(summary.longestNanoseconds == each - 1)
        #expect(summary.firstValues.count == 19)
    }
}

private struct SharedHistogram: ~Copyable {
    static let threadCount = 4
    static let recordingsEach: UInt64 = 20_000

    let histogram: DurationHistogram
    let running = Atomic(threadCount)

    init() throws { histogram = try DurationHistogram() }

    static func record(_ address: UnsafeMutableRawPointer) {
        let shared = address.assumingMemoryBound(to: SharedHistogram.self)
        for value in 0..<recordingsEach { shared.pointee.histogram.record(nanoseconds: value) }
        shared.pointee.running.wrappingSubtract(1, ordering: .releasing)
    }
}
