import Testing

@testable import StillpointMemory

struct SliceSetTests {
    @Test func `the first span is the lowest that fits, in every set of ten slices`() {
        for bits in 0..<UInt64(1 << 10) {
            let set = bits << 1 | bits << 53
            for count in 1...12 {
                let expected = (0...(64 - count)).first { index in
                    (index..<(index + count)).allSatisfy { set >> UInt64($0) & 1 == 1 }
                }
                #expect(SliceSet.firstSpan(of: count, in: set) == expected)
            }
        }
    }

    @Test func `runs taken from a set are its parts, and all of it`() {
        for bits in 0..<UInt64(1 << 10) {
            let set = bits << 1 | bits << 54
            var left = set
            var union: UInt64 = 0
            var previousEnd = -1
            while let (index, count) = SliceSet.takeRun(from: &left) {
                #expect(index > previousEnd)
                previousEnd = index + count
                union |= SliceSet.span(at: index, count: count)
            }
            #expect(union == set)
        }
    }
}
