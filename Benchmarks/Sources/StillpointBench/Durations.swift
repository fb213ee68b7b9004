// Durations of one kind, of one thread: HdrHistogram's, with room made beforehand, so that recording allocates
// nothing.

import Histogram

struct Durations: Sendable {
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three)
    /// Exact, where the histogram rounds. Nanoseconds.
    private(set) var longest = 0.0
    private var total = 0.0

    mutating func record(_ nanoseconds: UInt64) {
        histogram.record(nanoseconds)
        longest = max(longest, Double(nanoseconds))
        total += Double(nanoseconds)
    }

    mutating func add(_ other: Durations) {
        histogram.add(other.histogram)
        longest = max(longest, other.longest)
        total += other.total
    }

    var count: UInt64 { histogram.totalCount }
    var mean: Double { total / Double(max(1, count)) }
    func percentile(_ percent: Double) -> Double { Double(histogram.valueAtPercentile(percent)) }
}
