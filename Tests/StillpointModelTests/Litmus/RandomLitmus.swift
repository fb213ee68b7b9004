// Small programs at random, for the comparison of the memory model with the oracle.

@testable import StillpointModel

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension LitmusProgram {
    /// What a random program may be made of.
    struct Mixture {
        var operationCount = 4...7
        var locationCount = 1...3
        var threadCount = 2...3
        /// Of ten operations how many are fences, and how many updates.
        var fences = 2
        var updates = 1
        /// How many are plain accesses of a location that has no others.
        var plain = 0
        /// Of ten orderings how many are sequentially consistent.
        var consistent = 4
    }

    static func random(_ mixture: Mixture, using random: inout SeededGenerator) -> LitmusProgram {
        let threadCount = Int.random(in: mixture.threadCount, using: &random)
        let locationCount = Int.random(in: mixture.locationCount, using: &random)
        var threads = Array(repeating: [LitmusOperation](), count: threadCount)
        var value: UInt64 = 0
        for index in 0..<Int.random(in: mixture.operationCount, using: &random) {
            value += 1
            let thread = index < threadCount ? index : Int.random(in: 0..<threadCount, using: &random)
            threads[thread].append(operation(mixture, locationCount, value, using: &random))
        }
        return LitmusProgram(threads: threads, finals: Array(0..<locationCount), wantsHistories: true)
    }

    private static func operation(
        _ mixture: Mixture, _ locationCount: Int, _ value: UInt64, using random: inout SeededGenerator
    ) -> LitmusOperation {
        let location = Int.random(in: 0..<locationCount, using: &random)
        func order(_ orders: [MemoryOrder]) -> MemoryOrder {
            Int.random(in: 0..<10, using: &random) < mixture.consistent
                ? .sequentiallyConsistent : orders.randomElement(using: &random)!
        }
        let all: [MemoryOrder] = [.relaxed, .acquire, .release, .acquireRelease]
        var kind = Int.random(in: 0..<10, using: &random)
        if kind < mixture.fences { return .fence(order([.acquire, .release, .acquireRelease])) }
        kind -= mixture.fences
        if kind < mixture.plain {
            return Bool.random(using: &random) ? .plainRead(locationCount) : .plainWrite(locationCount)
        }
        kind -= mixture.plain
        guard kind < mixture.updates else {
            return Bool.random(using: &random)
                ? .read(location, order([.relaxed, .acquire])) : .write(location, value, order([.relaxed, .release]))
        }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return .add(location, 100, order(all))
        case 1: return .exchange(location, value, order(all))
        default:
            return .compareExchange(
                location, UInt64.random(in: 0..<2, using: &random), value, order(all), order([.relaxed, .acquire]))
        }
    }
}
