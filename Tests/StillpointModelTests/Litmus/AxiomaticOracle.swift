// The oracle: RC11 as it is written (Lahav and others, PLDI 2017, section 3), slowly. It makes every execution
// graph of a small program: every reads-from, every modification order; keeps those that satisfy the axioms; and
// reads off their outcomes. Nothing here is shared with the memory model: relations are matrices of bits, composed
// and closed by brute force, and a read-modify-write is two events.

@testable import StillpointModel

struct AxiomaticOracle {
    /// A relation over at most 32 events: for each its successors.
    typealias Relation = [UInt32]

    enum Kind { case read, write, fence, plainRead, plainWrite }

    struct Node {
        var kind: Kind
        var thread: Int
        var location: Int
        var order: MemoryOrder
        var operation: LitmusOperation?
        /// Of an update's read the write that follows, and of its write the read.
        var partner = -1
        var isUsed = true
    }

    private let program: LitmusProgram
    private var nodes: [Node] = []
    private var programOrder: Relation = []
    private var values: [UInt64] = []
    private var source: [Int] = []
    private(set) var outcomes: Set<LitmusOutcome> = []
    private(set) var hasRace = false
    private(set) var graphCount = 0
    /// In how many orders of their operations the graphs can be made, each order that program order and reads-from
    /// allow.
    private(set) var runCount = 0

    init(_ program: LitmusProgram) { self.program = program }

    static func judge(_ program: LitmusProgram) -> AxiomaticOracle {
        var oracle = AxiomaticOracle(program)
        oracle.run()
        return oracle
    }

    // MARK: Events

    private mutating func run() {
        for location in 0..<program.locationCount {
            nodes.append(Node(kind: .write, thread: -1, location: location, order: .relaxed))
        }
        for (thread, operations) in program.threads.enumerated() {
            for operation in operations { append(operation, thread) }
        }
        precondition(nodes.count <= 32)
        programOrder = makeProgramOrder()
        values = Array(repeating: 0, count: nodes.count)
        source = Array(repeating: -1, count: nodes.count)
        chooseSource(of: 0)
    }

    private func makeProgramOrder() -> Relation {
        relation { a, b in
            nodes[a].thread < 0 ? nodes[b].thread >= 0 : nodes[a].thread == nodes[b].thread && a < b
        }
    }

    private mutating func append(_ operation: LitmusOperation, _ thread: Int) {
        func node(_ kind: Kind, _ location: Int, _ order: MemoryOrder) -> Node {
            Node(kind: kind, thread: thread, location: location, order: order, operation: operation)
        }
        switch operation {
        case .read(let location, let order): nodes.append(node(.read, location, order))
        case .write(let location, _, let order): nodes.append(node(.write, location, order))
        case .add(let location, _, let order), .exchange(let location, _, let order),
            .compareExchange(let location, _, _, let order, _):
            var read = node(.read, location, order)
            var write = node(.write, location, order)
            read.partner = nodes.count + 1
            write.partner = nodes.count
            nodes += [read, write]
        case .fence(let order): nodes.append(node(.fence, -1, order))
        case .plainRead(let location): nodes.append(node(.plainRead, location, .relaxed))
        case .plainWrite(let location): nodes.append(node(.plainWrite, location, .relaxed))
        case .expect: preconditionFailure("the oracle takes straight lines only")
        }
    }

    // MARK: Reads-from

    private mutating func chooseSource(of read: Int) {
        guard read < nodes.count else { return judgeSources() }
        guard nodes[read].kind == .read else { return chooseSource(of: read + 1) }
        for write in nodes.indices
        where nodes[write].kind == .write && nodes[write].location == nodes[read].location
            && nodes[read].partner != write
        {
            guard !isTaken(write, by: read) else { continue }
            source[read] = write
            if isAcyclic(union(programOrder, relation { $1 <= read && source[$1] == $0 })) {
                chooseSource(of: read + 1)
            }
        }
        source[read] = -1
    }

    /// Early, as programs full of updates have too many graphs: no two updates that always write read the same
    /// write, since one of them would come between the other's halves.
    private func isTaken(_ write: Int, by read: Int) -> Bool {
        func alwaysWrites(_ index: Int) -> Bool {
            switch nodes[index].operation {
            case .add, .exchange: nodes[index].kind == .read
            default: false
            }
        }
        return alwaysWrites(read) && (0..<read).contains { source[$0] == write && alwaysWrites($0) }
    }

    /// Values follow from the sources when program order and reads-from have no cycle, which is RC11's last axiom.
    private mutating func judgeSources() {
        for _ in nodes.indices { evaluate() }
        for index in nodes.indices where nodes[index].kind == .read && !isUsed(source[index]) {
            return useAll()
        }
        programOrder = makeProgramOrder()
        judgeModificationOrders(relation { source[$1] == $0 })
        useAll()
    }

    private mutating func useAll() {
        for index in nodes.indices { nodes[index].isUsed = true }
        programOrder = makeProgramOrder()
    }

    /// A comparison that failed is a read alone, with the failure ordering.
    private mutating func evaluate() {
        for index in nodes.indices {
            if nodes[index].kind == .read { values[index] = values[source[index]] }
            guard nodes[index].kind == .write, let operation = nodes[index].operation else { continue }
            switch operation {
            case .write(_, let value, _): values[index] = value
            case .add(_, let addend, _): values[index] = values[index - 1] + addend
            case .exchange(_, let value, _): values[index] = value
            case .compareExchange(_, let expected, let desired, let order, let failureOrder):
                values[index] = desired
                nodes[index].isUsed = values[index - 1] == expected
                nodes[index - 1].order = nodes[index].isUsed ? order : failureOrder
            default: break
            }
        }
    }

    // MARK: Axioms

    private mutating func judgeModificationOrders(_ readsFrom: Relation) {
        let happensBefore = happensBefore(readsFrom)
        guard isIrreflexive(happensBefore) else { return }
        let atomics = (0..<program.locationCount).filter { location in
            nodes.contains { $0.thread >= 0 && $0.location == location && ($0.kind == .read || $0.kind == .write) }
        }
        var orders: [[[Int]]] = []
        for location in atomics {
            let writes = nodes.indices.filter {
                nodes[$0].kind == .write && nodes[$0].location == location && isUsed($0)
            }
            orders.append(
                permutations(Array(writes.dropFirst())).map { [writes[0]] + $0 }.filter { order in
                    isCoherent([order], readsFrom, happensBefore)
                })
        }
        var chosen: [[Int]] = []
        judgeProduct(orders, &chosen, readsFrom, happensBefore)
    }

    private mutating func judgeProduct(
        _ orders: [[[Int]]], _ chosen: inout [[Int]], _ readsFrom: Relation, _ happensBefore: Relation
    ) {
        guard chosen.count < orders.count else {
            let order = modificationOrder(chosen)
            let before = readsBefore(readsFrom, order)
            if isAcyclic(partialConsistencyOrder(readsFrom, order, before, happensBefore)) {
                graphCount += 1
                runCount += orderCount(readsFrom)
                note(chosen, happensBefore)
            }
            return
        }
        for order in orders[chosen.count] {
            chosen.append(order)
            judgeProduct(orders, &chosen, readsFrom, happensBefore)
            chosen.removeLast()
        }
    }

    /// sw = [rel] ; ([F] ; sb)? ; rs ; rf ; [R] ; (sb ; [F])? ; [acq], with rs = [W] ; (rf ; rmw)*, and hb = (sb u
    /// sw)+.
    private func happensBefore(_ readsFrom: Relation) -> Relation {
        let identity = relation { $0 == $1 }
        let updates = relation { nodes[$0].kind == .read && nodes[$0].partner == $1 && isUsed($1) }
        let sequence = compose(
            relation { $0 == $1 && nodes[$0].kind == .write },
            union(identity, closure(compose(readsFrom, updates))))
        let fenceThen = compose(relation { $0 == $1 && nodes[$0].kind == .fence }, programOrder)
        let thenFence = compose(programOrder, relation { $0 == $1 && nodes[$0].kind == .fence })
        let releasing = relation { $0 == $1 && isReleasing(nodes[$0]) }
        let acquiring = relation { $0 == $1 && isAcquiring(nodes[$0]) }
        var with = compose(releasing, union(identity, fenceThen))
        with = compose(with, sequence)
        with = compose(with, readsFrom)
        with = compose(with, union(identity, thenFence))
        with = compose(with, acquiring)
        return closure(union(programOrder, with))
    }

    private func isReleasing(_ node: Node) -> Bool {
        guard node.kind == .write || node.kind == .fence, node.thread >= 0 else { return false }
        return [.release, .acquireRelease, .sequentiallyConsistent].contains(node.order)
    }

    private func isAcquiring(_ node: Node) -> Bool {
        guard node.kind == .read || node.kind == .fence else { return false }
        return [.acquire, .acquireRelease, .sequentiallyConsistent].contains(node.order)
    }

    /// irreflexive(hb ; eco?), and no write between the two halves of an update.
    private func isCoherent(_ orders: [[Int]], _ readsFrom: Relation, _ happensBefore: Relation) -> Bool {
        let order = modificationOrder(orders)
        let location = nodes[orders[0][0]].location
        let here = relation { nodes[$0].location == location && nodes[$1].location == location }
        let readsHere = intersection(readsFrom, here)
        let before = readsBefore(readsHere, order)
        let eco = closure(union(union(readsHere, order), before))
        guard isIrreflexive(happensBefore), isIrreflexive(compose(happensBefore, eco)), isIrreflexive(eco) else {
            return false
        }
        let split = compose(before, order)
        return !nodes.indices.contains { index in
            let partner = nodes[index].partner
            return nodes[index].kind == .read && partner >= 0 && isUsed(partner)
                && split[index] >> UInt32(partner) & 1 != 0
        }
    }

    private func partialConsistencyOrder(
        _ readsFrom: Relation, _ order: Relation, _ before: Relation, _ happensBefore: Relation
    ) -> Relation {
        let identity = relation { $0 == $1 }
        let access = relation { $0 == $1 && nodes[$0].kind != .fence && isConsistent($0) }
        let fence = relation { $0 == $1 && nodes[$0].kind == .fence && isConsistent($0) }
        let elsewhere = relation {
            programOrder[$0] >> UInt32($1) & 1 != 0
                && (nodes[$0].location < 0 || nodes[$0].location != nodes[$1].location)
        }
        let sameLocation = relation {
            happensBefore[$0] >> UInt32($1) & 1 != 0 && nodes[$0].location >= 0
                && nodes[$0].location == nodes[$1].location
        }
        var scb = union(programOrder, compose(compose(elsewhere, happensBefore), elsewhere))
        scb = union(scb, union(sameLocation, union(order, before)))
        let perhaps = union(identity, happensBefore)
        let base = compose(
            compose(union(access, compose(fence, perhaps)), scb), union(access, compose(perhaps, fence)))
        let eco = closure(union(union(readsFrom, order), before))
        let between = union(happensBefore, compose(compose(happensBefore, eco), happensBefore))
        return union(base, compose(compose(fence, between), fence))
    }

    private func isConsistent(_ index: Int) -> Bool {
        nodes[index].thread >= 0 && nodes[index].order == .sequentiallyConsistent && isUsed(index)
    }

    private mutating func note(_ chosen: [[Int]], _ happensBefore: Relation) {
        for a in nodes.indices where nodes[a].kind == .plainWrite || nodes[a].kind == .plainRead {
            for b in nodes.indices where nodes[b].location == nodes[a].location && a != b {
                guard nodes[b].thread >= 0, isUsed(b) else { continue }
                let isWrite = nodes[a].kind == .plainWrite || nodes[b].kind == .plainWrite
                let isOrdered = (happensBefore[a] >> UInt32(b) | happensBefore[b] >> UInt32(a)) & 1 != 0
                if isWrite && !isOrdered { hasRace = true }
            }
        }
        let results = nodes.indices.filter { nodes[$0].kind == .read }.map { Optional(values[$0]) }
        let finals = program.finals.flatMap { location in
            let history = chosen.first { nodes[$0[0]].location == location }.map { $0.map { values[$0] } } ?? [0]
            return program.wantsHistories ? history : [history.last!]
        }
        outcomes.insert(LitmusOutcome(results: results, finals: finals))
    }

    /// Over sets of operations: in how many orders each set can have been made.
    private func orderCount(_ readsFrom: Relation) -> Int {
        let operations = nodes.indices.filter {
            nodes[$0].thread >= 0 && (nodes[$0].kind != .write || nodes[$0].partner < 0)
        }
        let mustComeFirst = operations.map { later in
            operations.indices.filter { index in
                let partner = nodes[operations[index]].partner
                let row = programOrder[operations[index]] | readsFrom[operations[index]]
                return (row | (partner >= 0 ? readsFrom[partner] : 0)) >> UInt32(later) & 1 != 0
            }.reduce(0) { $0 | 1 << $1 }
        }
        var counts = Array(repeating: 0, count: 1 << operations.count)
        counts[0] = 1
        for made in counts.indices where counts[made] > 0 {
            for next in operations.indices where made >> next & 1 == 0 && mustComeFirst[next] & ~made == 0 {
                counts[made | 1 << next] += counts[made]
            }
        }
        return counts[counts.count - 1]
    }

    // MARK: Relations

    /// The write half of a comparison that failed does not exist.
    private func isUsed(_ index: Int) -> Bool { nodes[index].isUsed }

    private func modificationOrder(_ orders: [[Int]]) -> Relation {
        var order = Relation(repeating: 0, count: nodes.count)
        for writes in orders {
            for (position, write) in writes.enumerated() {
                for later in writes[(position + 1)...] { order[write] |= 1 << UInt32(later) }
            }
        }
        return order
    }

    /// rb = rf^-1 ; mo.
    private func readsBefore(_ readsFrom: Relation, _ order: Relation) -> Relation {
        compose(relation { readsFrom[$1] >> UInt32($0) & 1 != 0 }, order)
    }

    private func relation(_ holds: (Int, Int) -> Bool) -> Relation {
        nodes.indices.map { a in
            nodes.indices.reduce(0) { isUsed(a) && isUsed($1) && holds(a, $1) ? $0 | 1 << UInt32($1) : $0 }
        }
    }

    private func union(_ a: Relation, _ b: Relation) -> Relation { zip(a, b).map { $0 | $1 } }
    private func intersection(_ a: Relation, _ b: Relation) -> Relation { zip(a, b).map { $0 & $1 } }

    private func compose(_ a: Relation, _ b: Relation) -> Relation {
        a.map { row in
            var result: UInt32 = 0
            var rest = row
            while rest != 0 {
                result |= b[rest.trailingZeroBitCount]
                rest &= rest - 1
            }
            return result
        }
    }

    private func closure(_ a: Relation) -> Relation {
        var result = a
        while true {
            let larger = union(result, compose(result, result))
            if larger == result { return result }
            result = larger
        }
    }

    private func isIrreflexive(_ a: Relation) -> Bool { !a.indices.contains { a[$0] >> UInt32($0) & 1 != 0 } }
    private func isAcyclic(_ a: Relation) -> Bool { isIrreflexive(closure(a)) }

    private func permutations(_ items: [Int]) -> [[Int]] {
        guard !items.isEmpty else { return [[]] }
        return items.indices.flatMap { index in
            var rest = items
            let item = rest.remove(at: index)
            return permutations(rest).map { [item] + $0 }
        }
    }
}
