// Random programs of the shape of the classic tests: few accesses a thread, most of which move to another location,
// often with a fence between, and the orderings of one program much alike. So cycles of psc are common, as they are
// not among programs of any shape.

@testable import StillpointModel

extension LitmusProgram {
    static func randomCycle(using random: inout SeededGenerator) -> LitmusProgram {
        let style = CycleStyle(
            locationCount: Int.random(in: 2...3, using: &random),
            consistentAccesses: [1, 1, 5, 9].randomElement(using: &random)!,
            fences: [2, 4, 9].randomElement(using: &random)!, consistentFences: [5, 9].randomElement(using: &random)!,
            synchronizing: [3, 6, 9].randomElement(using: &random)!)
        let threadCount = Int.random(in: 2...4, using: &random)
        var value: UInt64 = 0
        let threads = (0..<threadCount).map { _ in
            let count = Int.random(in: 1...(threadCount == 2 ? 4 : threadCount == 3 ? 3 : 2), using: &random)
            return style.thread(accessCount: count, &value, using: &random)
        }
        return LitmusProgram(threads: threads, finals: Array(0..<style.locationCount), wantsHistories: true)
    }
}

/// How often, of ten times.
private struct CycleStyle {
    var locationCount: Int
    /// An access is sequentially consistent.
    var consistentAccesses: Int
    /// A fence stands between two accesses, and it is sequentially consistent.
    var fences: Int
    var consistentFences: Int
    /// Another access is release or acquire.
    var synchronizing: Int

    func thread(
        accessCount: Int, _ value: inout UInt64, using random: inout SeededGenerator
    ) -> [LitmusOperation] {
        var operations: [LitmusOperation] = []
        var location = Int.random(in: 0..<locationCount, using: &random)
        for index in 0..<accessCount {
            if index > 0 {
                if happens(8, &random) {
                    location = (location + Int.random(in: 1..<locationCount, using: &random)) % locationCount
                }
                if happens(fences, &random) {
                    let weaker: [MemoryOrder] = [.acquire, .release, .acquireRelease]
                    operations.append(
                        .fence(happens(consistentFences, &random) ? .sc : weaker.randomElement(using: &random)!))
                }
            }
            value += 1
            operations.append(access(location, value, using: &random))
        }
        return operations
    }

    private func access(_ location: Int, _ value: UInt64, using random: inout SeededGenerator) -> LitmusOperation {
        let isConsistent = happens(consistentAccesses, &random)
        let synchronizes = happens(synchronizing, &random)
        func order(_ synchronizing: MemoryOrder) -> MemoryOrder {
            isConsistent ? .sc : synchronizes ? synchronizing : .relaxed
        }
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5: return .read(location, order(.acquire))
        case 5..<9: return .write(location, value, order(.release))
        default: return .exchange(location, value, order(.acquireRelease))
        }
    }

    private func happens(_ chance: Int, _ random: inout SeededGenerator) -> Bool {
        Int.random(in: 0..<10, using: &random) < chance
    }
}
