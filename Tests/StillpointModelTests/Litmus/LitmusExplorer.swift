// Runs a litmus program on the memory model in every way: depth first over which thread goes next and over what
// each operation does. Each run begins anew with the choices of the last one, up to the last that has another
// alternative. It shares nothing with the scheduler, so that the table of litmus tests speaks of the memory alone.
//
// Reduced, it leaves out orders of the threads that come to the same graphs, by sleep sets (Godefroid, LNCS 1032):
// an operation depends on another thread's only if one reads what the other writes. Two writes of one location do
// not depend on each other, as each may take any place in modification order whichever is made first.

@testable import StillpointModel

final class LitmusExplorer {
    private struct Decision {
        var choice: Int
        var count: Int
    }

    private let program: LitmusProgram
    private let isReduced: Bool
    private let memory = MemoryModel()
    private var decisions: [Decision] = []
    private var depth = 0
    /// What real memory holds.
    private var values: [UInt64]
    private var results: [UInt64?]
    private var firstResult: [Int] = []

    private(set) var outcomes: Set<LitmusOutcome> = []
    /// In words, the first of each kind.
    private(set) var faults: [String] = []
    private(set) var runCount = 0
    private(set) var operationCount = 0

    init(_ program: LitmusProgram, isReduced: Bool = false) {
        self.program = program
        self.isReduced = isReduced
        values = Array(repeating: 0, count: program.locationCount)
        results = Array(repeating: nil, count: program.resultCount)
        var first = 0
        for thread in program.threads {
            firstResult.append(first)
            first += thread.reduce(0) { $0 + $1.resultCount }
        }
    }

    static func outcomes(of program: LitmusProgram) -> Set<LitmusOutcome> {
        let explorer = LitmusExplorer(program)
        explorer.explore()
        return explorer.outcomes
    }

    func explore() {
        repeat { run() } while takeNextDecisions()
    }

    private func choose(_ count: Int) -> Int {
        if depth == decisions.count { decisions.append(Decision(choice: 0, count: count)) }
        precondition(decisions[depth].count == count, "a run that was begun anew went another way")
        depth += 1
        return decisions[depth - 1].choice
    }

    private func takeNextDecisions() -> Bool {
        while let last = decisions.last {
            if last.choice + 1 < last.count {
                decisions[decisions.count - 1].choice += 1
                return true
            }
            decisions.removeLast()
        }
        return false
    }

    /// Thread 0 of the model makes the others and has no operations itself.
    private func run() {
        depth = 0
        memory.reset(threadCount: program.threads.count + 1)
        for index in values.indices { values[index] = 0 }
        for index in results.indices { results[index] = nil }
        for thread in program.threads.indices { memory.start(child: thread + 1, by: 0) }
        var next = program.threads.map { _ in 0 }
        var result = firstResult
        var asleep: Set<Int> = []
        while true {
            let ready = program.threads.indices.filter { next[$0] < program.threads[$0].count }
            guard !ready.isEmpty else { break }
            let awake = ready.filter { !asleep.contains($0) }
            guard !awake.isEmpty else { return }
            let choice = awake.count == 1 ? 0 : choose(awake.count)
            let thread = awake[choice]
            let operation = program.threads[thread][next[thread]]
            if isReduced {
                asleep.formUnion(awake[..<choice])
                asleep = asleep.filter { !program.threads[$0][next[$0]].depends(on: operation) }
            }
            next[thread] += 1
            operationCount += 1
            if case .expect(let value) = operation {
                if results[result[thread] - 1] != value { next[thread] = program.threads[thread].count }
                continue
            }
            let value = perform(operation, by: thread + 1)
            if memory.hasFault {
                faults.append("\(memory.fault!.kind)")
                return
            }
            if operation.resultCount == 1 {
                results[result[thread]] = value
                result[thread] += 1
            }
        }
        runCount += 1
        outcomes.insert(LitmusOutcome(results: results, finals: program.finals.flatMap(left)))
    }

    private func left(in location: Int) -> [UInt64] {
        guard program.wantsHistories else { return [values[location]] }
        let granule = memory.granules.existing(address(location) >> 3)
        guard granule >= 0 else { return [0] }
        let record = memory.granules.records[granule].pointee.locations[0]
        guard record >= 0 else { return [0] }
        var history: [UInt64] = []
        var store = memory.locations[record].pointee.newest
        while store >= 0 {
            history.append(memory.stores[store].pointee.value)
            store = memory.stores[store].pointee.previous
        }
        return history.reversed()
    }

    private func perform(_ operation: LitmusOperation, by thread: Int) -> UInt64 {
        switch operation {
        case .read(let location, let order):
            return memory.load(
                by: thread, at: address(location), byteCount: 8, order: order, current: values[location],
                site: .unknown, choose: choose)
        case .write(let location, let value, let order):
            values[location] = memory.store(
                by: thread, at: address(location), byteCount: 8, value: value, order: order,
                current: values[location], site: .unknown, choose: choose)
        case .add(let location, let addend, let order):
            return update(location, by: thread, order, order) { $0 + addend }
        case .exchange(let location, let value, let order):
            return update(location, by: thread, order, order) { _ in value }
        case .compareExchange(let location, let expected, let desired, let order, let failureOrder):
            return update(location, by: thread, order, failureOrder) { $0 == expected ? desired : nil }
        case .fence(let order):
            memory.fence(by: thread, order: order)
        case .plainRead(let location):
            _ = memory.plainRead(by: thread, at: address(location), byteCount: 8, site: .unknown)
        case .plainWrite(let location):
            _ = memory.plainWrite(by: thread, at: address(location), byteCount: 8, site: .unknown)
        case .expect:
            break
        }
        return 0
    }

    private func update(
        _ location: Int, by thread: Int, _ order: MemoryOrder, _ failureOrder: MemoryOrder,
        _ transform: (UInt64) -> UInt64?
    ) -> UInt64 {
        let update = memory.readModifyWrite(
            by: thread, at: address(location), byteCount: 8, order: order, failureOrder: failureOrder,
            current: values[location], site: .unknown, choose: choose, transform: transform)
        values[location] = update.memory
        return update.old
    }

    private func address(_ location: Int) -> UInt { 0x1000 + UInt(location) * 64 }
}
