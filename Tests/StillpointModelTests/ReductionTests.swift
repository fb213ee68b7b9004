import StillpointModel
import Testing

/// Sleep sets against plain depth first, on small programs drawn at random: the same behaviours and final states, in
/// fewer runs.
@Suite struct ReductionTests {
    private enum Action: CaseIterable {
        case load, store, add, exchange, compare, acquireFence, consistentFence, lock, wake, quiet
    }

    private struct Instruction {
        let action: Action
        let place: Int
        let value: UInt32
        let isStrong: Bool
    }

    private func program(_ generator: inout some RandomNumberGenerator) -> [[Instruction]] {
        let counts = [[2, 2], [3, 2], [3, 3], [2, 2, 1], [2, 2, 2]].randomElement(using: &generator)!
        var value: UInt32 = 0
        return counts.map { count in
            (0..<count).map { _ in
                value += 1
                return Instruction(
                    action: Action.allCases.randomElement(using: &generator)!,
                    place: Int.random(in: 0..<2, using: &generator),
                    value: value, isStrong: Bool.random(using: &generator))
            }
        }
    }

    private func run(_ program: [[Instruction]], _ strategy: ExplorationStrategy) -> ExplorationReport {
        Exploration(strategy).run("random program") { model in
            let words = model.allocate(Atomic<UInt32>.self, count: 2)
            for (index, instructions) in program.enumerated() {
                model.thread("thread \(index)") {
                    ModelGracePeriod.register()
                    for instruction in instructions { perform(instruction, words) }
                }
            }
            model.finally {
                model.outcome("\(words[0].load(ordering: .relaxed)) \(words[1].load(ordering: .relaxed))")
            }
        }
    }

    private func perform(_ instruction: Instruction, _ words: UnsafeMutablePointer<Atomic<UInt32>>) {
        let (word, value, isStrong) = (words + instruction.place, instruction.value, instruction.isStrong)
        switch instruction.action {
        case .load: _ = word.pointee.load(ordering: isStrong ? .sequentiallyConsistent : .relaxed)
        case .store: word.pointee.store(value, ordering: isStrong ? .sequentiallyConsistent : .relaxed)
        case .add: word.pointee.wrappingAdd(value, ordering: isStrong ? .acquiringAndReleasing : .relaxed)
        case .exchange:
            _ = word.pointee.exchange(value, ordering: isStrong ? .sequentiallyConsistent : .relaxed)
        case .compare:
            _ = word.pointee.compareExchange(expected: 0, desired: value, ordering: isStrong ? .acquiring : .relaxed)
        case .acquireFence: atomicMemoryFence(ordering: .acquiringAndReleasing)
        case .consistentFence: atomicMemoryFence(ordering: .sequentiallyConsistent)
        case .lock:
            ModelLock.lock(at: word)
            ModelLock.unlock(at: word)
        case .wake: _ = ModelFutex.wait(on: word, while: isStrong ? 0 : .max, untilNanoseconds: 1)
        case .quiet:
            ModelGracePeriod.online()
            if isStrong { ModelGracePeriod.quiescentState() }
            ModelGracePeriod.offline()
        }
    }

    @Test func `sleep sets show the same behaviours in fewer runs`() {
        let seed: UInt64 = 20_261_122
        var generator = SplitMix(state: seed)
        var plainRuns = 0
        var reducedRuns = 0
        for number in 0..<60 {
            let program = program(&generator)
            let plain = run(program, .depthFirst(preemptions: nil, staleReads: nil))
            let reduced = run(program, .sleepSets(staleReads: nil))
            #expect(plain.isExhausted && reduced.isExhausted, "seed \(seed), program \(number): \(plain)\n\(reduced)")
            #expect(plain.behaviours == reduced.behaviours, "seed \(seed), program \(number): \(program)")
            #expect(
                Set(plain.outcomes.keys) == Set(reduced.outcomes.keys),
                "seed \(seed), program \(number): \(program)")
            #expect(reduced.runs <= plain.runs)
            plainRuns += plain.runs
            reducedRuns += reduced.runs + reduced.redundantRuns
        }
        #expect(reducedRuns * 2 < plainRuns, "\(reducedRuns) of \(plainRuns)")
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
