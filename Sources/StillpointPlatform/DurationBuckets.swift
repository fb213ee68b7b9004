// Which durations a histogram keeps apart: each value below 64 ns has a bucket of its own; from
// there on every doubling is cut into 32 buckets of equal width, so a bucket is at most 1/32
// (3.1 %) as wide as the values in it are large. All of UInt64 has a place in 1,920 buckets.
// (The idea is HdrHistogram's, by Gil Tene.)
//
//   bucket   0 … 31    32 … 63    64 … 95    96 … 127   …   1,888 … 1,919
//   values   0 … 31    32 … 63    64 … 127  128 … 255   …    2^63 … 2^64 - 1
//   width        1          1          2          4     …    2^58

enum DurationBuckets {
    /// Each doubling is cut into `1 << resolutionBitCount` buckets.
    static let resolutionBitCount = 5
    static let count = (UInt64.bitWidth - resolutionBitCount + 1) << resolutionBitCount

    /// The bucket of a value.
    static func index(of value: UInt64) -> Int {
        let highestBit = UInt64.bitWidth - 1 - value.leadingZeroBitCount
        let shift = max(highestBit - resolutionBitCount, 0)
        return (shift << resolutionBitCount) + Int(value >> UInt64(shift))
    }

    /// The smallest value of a bucket.
    static func lowest(of index: Int) -> UInt64 {
        let shift = shift(of: index)
        return UInt64(index - (shift << resolutionBitCount)) << UInt64(shift)
    }

    /// The largest value of a bucket.
    static func highest(of index: Int) -> UInt64 {
        lowest(of: index) + ((1 << UInt64(shift(of: index))) - 1)
    }

    /// The bucket's width is `1 << shift`.
    private static func shift(of index: Int) -> Int {
        max((index >> resolutionBitCount) - 1, 0)
    }
}
