// How runs are chosen. An explorer is asked at every choice of a run, and after it whether there is another to make.

/// What another outcome than the first costs.
enum ChoicePrice { case preemption, staleRead }

/// One way of exploring. The base makes one run, always taking the first alternative.
class Explorer {
    /// Whether `chooseThread` is to be called for single alternatives, too.
    var watchesEveryStep: Bool { false }
    /// The run under way leads nowhere new; it only has to end.
    var isRedundant: Bool { false }
    /// Every run that the strategy allows has been made.
    var isExhausted: Bool { false }
    /// A choice did not fit.
    var drift: String? { nil }

    func beginRun(_ number: Int) {}
    /// An index into the alternatives of `execution`.
    func chooseThread(_ execution: Execution) -> Int { 0 }
    func chooseValue(_ execution: Execution, count: Int, price: ChoicePrice) -> Int { 0 }
    /// Whether to make another run.
    func endRun(_ execution: Execution) -> Bool { false }
}

/// Makes the run of a token.
final class ReplayExplorer: Explorer {
    private let indices: [UInt8]
    @exclusivity(unchecked) private var position = 0
    private var fault: String?

    init(_ indices: [UInt8]) { self.indices = indices }

    override var drift: String? { fault }

    override func chooseThread(_ execution: Execution) -> Int { next(execution.alternativeCount) }

    override func chooseValue(_ execution: Execution, count: Int, price: ChoicePrice) -> Int { next(count) }

    private func next(_ count: Int) -> Int {
        defer { position += 1 }
        guard position < indices.count else { return 0 }
        let index = Int(indices[position])
        if index < count { return index }
        fault = "the token does not fit the model: choice \(position + 1) has \(count) alternatives"
        return 0
    }
}

/// A sequence that a seed determines (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// One of 0..<count, near enough to uniform.
    mutating func index(_ count: Int) -> Int { Int(((next() >> 32) &* UInt64(count)) >> 32) }
}

/// Any ready thread at each point; the newest store half of the time.
class RandomExplorer: Explorer {
    private let seed: UInt64
    @exclusivity(unchecked) fileprivate(set) var generator = SeededGenerator(seed: 0)

    init(seed: UInt64) { self.seed = seed }

    override func beginRun(_ number: Int) {
        generator = SeededGenerator(seed: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95)
    }

    override func chooseThread(_ execution: Execution) -> Int {
        // Deadlines, idle spins and wakes without cause stand last; they come rarely where others could go on.
        let count = execution.alternativeCount
        let index = generator.index(count)
        if execution.alternatives[index].manner == .perform || generator.index(4) == 0 { return index }
        return generator.index(count)
    }

    override func chooseValue(_ execution: Execution, count: Int, price: ChoicePrice) -> Int {
        generator.index(2) == 0 ? 0 : generator.index(count)
    }

    override func endRun(_ execution: Execution) -> Bool { true }
}

/// Probabilistic concurrency testing (Burckhardt and others, 2010): the thread of the highest priority goes on, and at
/// `depth` - 1 random steps the one that runs falls below all others. Finds a bug of that depth with a known chance.
final class PriorityExplorer: RandomExplorer {
    private let depth: Int
    @exclusivity(unchecked) private var priorities: [Int] = []
    @exclusivity(unchecked) private var changePoints: Set<Int> = []
    private var longestRun = 50
    /// Below all priorities of this run.
    private var lowest = 0

    init(seed: UInt64, depth: Int) {
        self.depth = depth
        super.init(seed: seed)
    }

    override func beginRun(_ number: Int) {
        super.beginRun(number)
        priorities = Array(depth...depth + Execution.maximumThreadCount).shuffled(using: &generator)
        lowest = -depth
        changePoints = Set((0..<max(depth - 1, 0)).map { _ in generator.index(longestRun) + 1 })
    }

    override func chooseThread(_ execution: Execution) -> Int {
        if changePoints.remove(execution.stepCount) != nil {
            priorities[execution.running] = changePoints.count - depth
        }
        var best = 0
        for index in 1..<execution.alternativeCount
        where priority(execution.alternatives[index]) > priority(execution.alternatives[best]) { best = index }
        // Who waits for others, and again, must not keep them from going on for ever.
        let chosen = execution.alternatives[best]
        if chosen.manner != .perform, execution.alternativeCount > 1 {
            lowest -= 1
            priorities[Int(chosen.thread)] = lowest
        }
        return best
    }

    /// A deadline or an idle spin goes before its time only when its thread has the lot: the thread has just been
    /// lowered.
    private func priority(_ alternative: Alternative) -> Int {
        let own = priorities[Int(alternative.thread)]
        return alternative.manner == .perform ? own : own - Execution.maximumThreadCount / 2
    }

    override func endRun(_ execution: Execution) -> Bool {
        longestRun = max(longestRun, execution.stepCount)
        return true
    }
}
