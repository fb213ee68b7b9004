// Rounds: ours and the peer measured in turns, so that whatever disturbs the machine disturbs both. What is
// stated is the median over the rounds, with the least and the most beside it; the ratio is taken in each round.

/// What was measured in one round, ours and the peer's, in the same unit.
struct Round {
    let ours: Double
    let peer: Double

    static let leastCount = 9
    static let mostCount = 999

    var ratio: Double { ours / peer }

    /// Measures `count` rounds, after one that warms up and is not counted.
    /// - Parameter sliceCount: how often each is measured in a round, in turns; the round's figures are the
    ///   medians. Slices of a fraction of a millisecond are rarely interrupted by other programs.
    static func measure(
        _ count: Int, slices sliceCount: Int = 1, ours: () throws -> Double, peer: () throws -> Double
    ) rethrows -> [Round] {
        var rounds: [Round] = []
        for _ in 0...count {
            var slices: (ours: [Double], peer: [Double]) = ([], [])
            for _ in 0..<sliceCount {
                slices.ours.append(try ours())
                slices.peer.append(try peer())
            }
            rounds.append(Round(ours: Spread(slices.ours).median, peer: Spread(slices.peer).median))
        }
        return Array(rounds.dropFirst())
    }

    /// The number of slices for what takes nanoseconds on one thread.
    static let sliceCount = 51
}

/// The median of some figures, their least and their most.
struct Spread: Encodable {
    let median: Double
    let least: Double
    let most: Double

    /// Precondition: there is a figure.
    init(_ figures: [Double]) {
        let sorted = figures.sorted()
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        least = sorted[0]
        most = sorted[sorted.count - 1]
    }

    /// One figure, counted and not sampled.
    init(_ figure: Double) { self.init([figure]) }
}
