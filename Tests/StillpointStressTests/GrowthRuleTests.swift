import Testing

@testable import StillpointStress

/// The rule by which script/soak calls something growth, on made-up series.
@Suite struct GrowthRuleTests {
    static let allowance = GrowthAllowance(absolute: 10, part: 0.1)

    private func hasGrown(_ samples: [Double]) throws -> Bool {
        try #require(GrowthRule.verdict(on: samples, allowance: Self.allowance)).hasGrown
    }

    /// Ups and downs from -size to size, by the seed.
    private func noise(_ size: Int, seed: UInt64) -> [Double] {
        var random = SplitMix64(seed: seed)
        return (0..<240).map { _ in Double(random.below(2 * size + 1) - size) }
    }

    @Test func `a level is steady`() throws {
        #expect(try !hasGrown(Array(repeating: 100, count: 240)))
    }

    @Test func `a slope beyond the allowance is growth, one within it is not`() throws {
        #expect(try hasGrown((0..<240).map { 100 + Double($0) / 4 }))
        #expect(try !hasGrown((0..<240).map { 100 + Double($0) / 40 }))
    }

    @Test func `a fall is not growth`() throws {
        #expect(try !hasGrown((0..<240).map { 100 - Double($0) / 4 }))
    }

    @Test func `a steep warm-up is passed over`() throws {
        #expect(try !hasGrown((0..<240).map { $0 < 60 ? Double($0) * 100 : 6_000 }))
    }

    @Test(arguments: 1...20) func `ups and downs alone are not growth`(seed: UInt64) throws {
        #expect(try !hasGrown(noise(80, seed: seed).map { 100 + $0 }))
    }

    @Test(arguments: 1...20) func `a slope is seen through ups and downs`(seed: UInt64) throws {
        #expect(try hasGrown(noise(40, seed: seed).enumerated().map { 100 + $1 + Double($0) / 2 }))
    }

    @Test func `a single peak is not growth`() throws {
        var samples = [Double](repeating: 100, count: 240)
        for index in 200..<205 { samples[index] = 100_000 }
        #expect(try !hasGrown(samples))
    }

    @Test func `too few samples give no verdict`() {
        #expect(GrowthRule.verdict(on: Array(repeating: 1, count: 40), allowance: Self.allowance) == nil)
        #expect(GrowthRule.verdict(on: Array(repeating: 1, count: 48), allowance: Self.allowance) != nil)
    }

    @Test func `a line is fitted through points that lie on it`() {
        let line = LineFit([3, 5, 7, 9])
        #expect(line.slope == 2)
        #expect(line.mean == 6)
        #expect(line.slopeStandardError == 0)
    }
}
