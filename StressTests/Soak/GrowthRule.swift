// Whether something grows over time, when it also goes up and down by itself.
//
// The rule: the first quarter of the run is warm-up. The rest is cut into 12 stretches of equal length, and of each
// the median counts. A straight line is fitted to the medians by least squares. What is measured has grown if the
// line's rise from the first stretch to the last is more than the allowance, and more than 3 times the standard error
// of that rise. The allowance keeps small and once-only steps out; the standard error keeps out what the ups and
// downs explain.

/// What may come on top without being called growth: whichever is more.
struct GrowthAllowance {
    let absolute: Double
    /// Of the mean of the medians: 0.05 is 5 %.
    let part: Double
}

struct GrowthVerdict: Codable, Equatable {
    /// Of the fitted line, from the first stretch to the last.
    let rise: Double
    let standardError: Double
    let allowance: Double
    let hasGrown: Bool
}

enum GrowthRule {
    static let warmUp = 0.25
    static let stretchCount = 12

    /// - Parameter samples: taken at equal distances over the whole run.
    /// - Returns: nil if there are too few: fewer than 3 a stretch.
    static func verdict(on samples: [Double], allowance: GrowthAllowance) -> GrowthVerdict? {
        let judged = samples.dropFirst(Int(Double(samples.count) * warmUp))
        guard judged.count >= 3 * stretchCount else { return nil }
        let medians = (0..<stretchCount).map { stretch in
            let first = judged.startIndex + judged.count * stretch / stretchCount
            let end = judged.startIndex + judged.count * (stretch + 1) / stretchCount
            return median(of: judged[first..<end])
        }
        let line = LineFit(medians)
        let steps = Double(stretchCount - 1)
        let allowed = max(allowance.absolute, allowance.part * line.mean)
        let rise = line.slope * steps
        let error = line.slopeStandardError * steps
        return GrowthVerdict(
            rise: rise, standardError: error, allowance: allowed, hasGrown: rise > allowed && rise > 3 * error)
    }

    static func median(of values: ArraySlice<Double>) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// A straight line through values at 0, 1, 2 … by least squares. Three values at least.
struct LineFit {
    let mean: Double
    let slope: Double
    let slopeStandardError: Double

    init(_ values: [Double]) {
        let count = Double(values.count)
        let middle = (count - 1) / 2
        let mean = values.reduce(0, +) / count
        let spread = values.indices.reduce(0) { $0 + (Double($1) - middle) * (Double($1) - middle) }
        let slope = values.indices.reduce(0) { $0 + (Double($1) - middle) * (values[$1] - mean) } / spread
        let residual = values.indices.reduce(0) { sum, index in
            let off = values[index] - mean - slope * (Double(index) - middle)
            return sum + off * off
        }
        self.mean = mean
        self.slope = slope
        slopeStandardError = (residual / (count - 2) / spread).squareRoot()
    }
}
