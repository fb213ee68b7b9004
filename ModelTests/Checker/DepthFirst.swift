// Every run, one after the other: the last choice that has an alternative left takes it, and all after it begin anew.

/// A choice on the path of the run under way.
private struct Node {
    var index: UInt8
    /// How many of the alternatives may be taken here.
    let allowed: UInt8
    /// How many there are: the same in every run that comes here, or the model is not deterministic.
    let count: UInt8
}

/// Exhaustive up to so many preemptions and so many choices that are not the newest store.
final class DepthFirstExplorer: Explorer {
    private let preemptions: Int
    private let staleReads: Int
    @exclusivity(unchecked) private var path: [Node] = []
    @exclusivity(unchecked) private var depth = 0
    @exclusivity(unchecked) private var isDone = false
    @exclusivity(unchecked) private var fault: String?

    /// `nil`: no bound.
    init(preemptions: Int?, staleReads: Int?) {
        self.preemptions = preemptions ?? .max
        self.staleReads = staleReads ?? .max
        path.reserveCapacity(256)
    }

    override var isExhausted: Bool { isDone }
    /// Also when a run ended sooner than the last to come this way.
    override var drift: String? {
        fault ?? (path.count > depth && !isRedundant
            ? "the model is not deterministic: it ended after \(depth) choices, where there were \(path.count)" : nil)
    }

    override func beginRun(_ number: Int) { depth = 0 }

    override func chooseThread(_ execution: Execution) -> Int {
        let count = execution.alternativeCount
        let allowed = execution.preemptions < preemptions ? count : max(execution.freeAlternativeCount, 1)
        return choose(count, allowed)
    }

    override func chooseValue(_ execution: Execution, count: Int, price: ChoicePrice) -> Int {
        let isAffordable =
            switch price {
            case .preemption: execution.preemptions < preemptions
            case .staleRead: execution.staleReads < staleReads
            }
        return choose(count, isAffordable ? count : 1)
    }

    @inline(__always)
    private func choose(_ count: Int, _ allowed: Int) -> Int {
        defer { depth += 1 }
        if depth == path.count {
            path.append(Node(index: 0, allowed: UInt8(allowed), count: UInt8(count)))
            return 0
        }
        let node = path[depth]
        if Int(node.count) != count {
            fault = "the model is not deterministic: choice \(depth + 1) had \(node.count) alternatives, then \(count)"
            return 0
        }
        return Int(node.index)
    }

    override func endRun(_ execution: Execution) -> Bool {
        while let last = path.last {
            if last.index + 1 < last.allowed {
                path[path.count - 1].index += 1
                return true
            }
            path.removeLast()
        }
        isDone = true
        return false
    }
}

/// Exhaustive over all schedules but those that differ from one already made only in the order of independent steps:
/// sleep sets (Godefroid, 1996). A thread whose next step has been explored at a point sleeps until a step that depends
/// on it.
final class SleepSetExplorer: Explorer {
    private struct Point {
        var node: Node
        /// Of a choice of threads: the alternatives, as bits; those not to be taken; those taken before.
        var bits: [UInt64]
        var asleep: UInt64
        var done: UInt64
    }

    private let staleReads: Int
    @exclusivity(unchecked) private var path: [Point] = []
    @exclusivity(unchecked) private var depth = 0
    /// The threads whose next step is asleep, as the bits of `Alternative`.
    @exclusivity(unchecked) private var asleep: UInt64 = 0
    @exclusivity(unchecked) private var isLost = false
    @exclusivity(unchecked) private var isDone = false
    @exclusivity(unchecked) private var fault: String?

    init(staleReads: Int?) { self.staleReads = staleReads ?? .max }

    override var watchesEveryStep: Bool { true }
    override var isRedundant: Bool { isLost }
    override var isExhausted: Bool { isDone }
    /// Also when a run ended sooner than the last to come this way.
    override var drift: String? {
        fault ?? (path.count > depth && !isRedundant
            ? "the model is not deterministic: it ended after \(depth) choices, where there were \(path.count)" : nil)
    }

    override func beginRun(_ number: Int) {
        (depth, asleep, isLost) = (0, 0, false)
    }

    override func chooseThread(_ execution: Execution) -> Int {
        let count = execution.alternativeCount
        if isLost { return 0 }
        if count == 1 {
            if asleep & execution.alternatives[0].bit != 0 {
                isLost = true
            } else {
                step(execution, 0)
            }
            return 0
        }
        defer { depth += 1 }
        if depth == path.count {
            let bits = (0..<count).map { execution.alternatives[$0].bit }
            guard let first = bits.firstIndex(where: { asleep & $0 == 0 }) else {
                isLost = true
                return 0
            }
            let node = Node(index: UInt8(first), allowed: UInt8(count), count: UInt8(count))
            path.append(Point(node: node, bits: bits, asleep: asleep, done: 0))
        } else if Int(path[depth].node.count) != count {
            fault = "the model is not deterministic: choice \(depth + 1)"
            return 0
        }
        let index = Int(path[depth].node.index)
        asleep = path[depth].asleep | path[depth].done
        step(execution, index)
        return index
    }

    /// What sleeps on after this step: that which does not depend on it.
    private func step(_ execution: Execution, _ index: Int) {
        guard asleep != 0 else { return }
        let chosen = execution.alternatives[index]
        let operation = execution.nextOperation(of: chosen)
        var left: UInt64 = 0
        for other in 0..<execution.alternativeCount where other != index {
            let alternative = execution.alternatives[other]
            guard asleep & alternative.bit != 0, alternative.thread != chosen.thread else { continue }
            if execution.nextOperation(of: alternative).isIndependent(of: operation) { left |= alternative.bit }
        }
        asleep = left
    }

    override func chooseValue(_ execution: Execution, count: Int, price: ChoicePrice) -> Int {
        if isLost { return 0 }
        let isAffordable = price == .preemption || execution.staleReads < staleReads
        defer { depth += 1 }
        if depth == path.count {
            let node = Node(index: 0, allowed: isAffordable ? UInt8(count) : 1, count: UInt8(count))
            path.append(Point(node: node, bits: [], asleep: 0, done: 0))
        } else if Int(path[depth].node.count) != count {
            fault = "the model is not deterministic: choice \(depth + 1)"
            return 0
        }
        return Int(path[depth].node.index)
    }

    override func endRun(_ execution: Execution) -> Bool {
        while !path.isEmpty {
            let last = path.count - 1
            if let next = nextIndex(path[last]) {
                path[last].done |= path[last].bits.isEmpty ? 0 : path[last].bits[Int(path[last].node.index)]
                path[last].node.index = UInt8(next)
                return true
            }
            path.removeLast()
        }
        isDone = true
        return false
    }

    private func nextIndex(_ point: Point) -> Int? {
        var index = Int(point.node.index) + 1
        while index < Int(point.node.allowed) {
            if point.bits.isEmpty || point.asleep & point.bits[index] == 0 { return index }
            index += 1
        }
        return nil
    }
}

extension Execution {
    /// What an alternative does.
    func nextOperation(of alternative: Alternative) -> Operation {
        var operation = slots[Int(alternative.thread)].operation
        switch alternative.manner {
        case .perform: break
        case .timeOut: operation.kind = .timeOut
        case .wakeWithoutCause: operation.kind = .wakeWithoutCause
        case .idleSpin, .forcedSpin: operation.kind = .idleSpin
        }
        return operation
    }
}
