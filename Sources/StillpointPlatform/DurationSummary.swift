// What a histogram held at one moment: a plain value to keep, send and print.

/// The durations that a `DurationHistogram` had counted when the snapshot was taken.
///
/// As long as all values are kept exactly (fewer than 20 of them), count, total, longest and
/// percentiles are computed from the values themselves. From then on a percentile is exact to the
/// width of its bucket: at most 3.1 % too long, never too short.
public struct DurationSummary: Sendable, Equatable {
    struct Bucket: Sendable, Equatable {
        let index: Int
        /// The number of values in this bucket and in all of shorter durations.
        let countUpToHere: UInt64
    }

    /// How many durations there are.
    public let count: UInt64
    /// The sum of all durations.
    public let totalNanoseconds: UInt64
    /// The longest duration, exact; 0 if there is none.
    public let longestNanoseconds: UInt64
    /// The first 19 durations, exact, in the order in which they came: all of them if `count` is
    /// below 20.
    public let firstValues: [UInt64]
    /// Filled buckets from short to long.
    private let buckets: [Bucket]

    init(
        count: UInt64, totalNanoseconds: UInt64, longestNanoseconds: UInt64,
        firstValues: [UInt64], buckets: [Bucket]
    ) {
        self.firstValues = firstValues
        self.buckets = buckets
        // A recording under way may have its exact value there and not yet its bucket: if no
        // counted value can be missing, the exact values are the better account.
        if count <= UInt64(DurationHistogram.exactValueCount), UInt64(firstValues.count) >= count {
            self.count = UInt64(firstValues.count)
            self.totalNanoseconds = firstValues.reduce(0, &+)
            self.longestNanoseconds = firstValues.max() ?? 0
        } else {
            self.count = count
            self.totalNanoseconds = totalNanoseconds
            self.longestNanoseconds = longestNanoseconds
        }
    }

    /// The shortest duration that at least `percent` of a hundred of the values do not exceed:
    /// `percentile(50)` is the median, `percentile(100)` the longest. Out of bounds counts as the
    /// nearest bound; 0 if there are no values.
    public func percentile(_ percent: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let rank = rank(of: percent)
        if UInt64(firstValues.count) == count { return firstValues.sorted()[Int(rank) - 1] }
        if rank == count { return longestNanoseconds }
        guard let bucket = buckets.first(where: { $0.countUpToHere >= rank }) else {
            return longestNanoseconds
        }
        return min(DurationBuckets.highest(of: bucket.index), longestNanoseconds)
    }

    /// The mean duration, rounded down; 0 if there are no values.
    public var meanNanoseconds: UInt64 { count == 0 ? 0 : totalNanoseconds / count }

    /// Which value in ascending order, counted from 1, is the percentile: `percent` hundredths of
    /// the count, rounded up.
    private func rank(of percent: Double) -> UInt64 {
        guard percent > 0 else { return 1 }
        guard percent < 100 else { return count }
        let exact = percent * Double(count) / 100
        // 99.9 is a little more than 999/1000 in binary: what is whole but for that is not rounded
        // up.
        let nearest = exact.rounded()
        let rank = abs(exact - nearest) <= exact * 1e-12 ? nearest : exact.rounded(.up)
        return min(max(UInt64(rank), 1), count)
    }
}
