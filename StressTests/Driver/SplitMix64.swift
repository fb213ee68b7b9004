// A seeded generator: the same seed gives the same numbers on every machine.

/// SplitMix64, after Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// An independent generator for part `index` of a run: one a thread.
    init(seed: UInt64, part index: Int) {
        var whole = SplitMix64(seed: seed)
        self.init(seed: whole.next() ^ (UInt64(index) &* 0xd1b5_4a32_d192_ed03))
        state = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number in `0..<bound`.
    mutating func below(_ bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// True once in `interval` calls, on the average.
    mutating func oneIn(_ interval: Int) -> Bool { below(interval) == 0 }
}
