import StillpointMemory
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

@Suite struct ContainerTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter
    let type: ManagedType<Node>

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
        type = try runtime.objects.types.add(Node.self)
    }

    private func node(_ number: Int, by thread: Thread) throws -> Handle<Node> {
        try Handle.make(type, Node(number: number), by: thread)
    }

    /// The number of a node whose count is the caller's, which is given up.
    private func number(_ object: ObjectPointer?, by thread: Thread) -> Int? {
        guard let object else { return nil }
        defer { Counting.release(object, by: thread) }
        return (object + 16).assumingMemoryBound(to: Node.self).pointee.number
    }

    // MARK: Lists

    @Test func `a list does what an array does, for every sequence of five changes`() throws {
        try interpreter.withThread { thread in
            let nodes = try ManagedArray.make(count: 6, by: thread)
            for index in 0..<6 {
                let handle = try node(index, by: thread)
                ManagedArray.store(handle.object, into: nodes, at: index, by: thread)
                handle.end(by: thread)
            }
            var sequence = [0, 0, 0, 0, 0]
            repeat {
                let list = try Handle<ManagedList>(
                    adopting: ManagedList.make(capacity: sequence[0], by: thread), by: thread)
                var model: [Int] = []
                for (step, change) in sequence.enumerated() {
                    let value = try Handle<Node>(
                        adopting: ManagedArray.load(nodes, step, by: thread)!, by: thread)
                    switch change {
                    case 0, 1:
                        try ManagedList.append(value.slot, to: list.slot, by: thread)
                        model.append(step)
                    case 2:
                        #expect(number(
                            ManagedList.removeLast(from: list.slot, by: thread), by: thread)
                                == model.popLast())
                    case 3:
                        let done = ManagedList.store(value.slot, in: list.slot, at: 1, by: thread)
                        #expect(done == (model.count > 1))
                        if done { model[1] = step }
                    default:
                        let removedCount = try ManagedList.removeAll(
                            from: list.slot, by: thread,
                            where: {
                                ($0 + 16).assumingMemoryBound(to: Node.self).pointee.number % 2 == 0
                            })
                        #expect(removedCount == model.filter { $0 % 2 == 0 }.count)
                        model.removeAll { $0 % 2 == 0 }
                    }
                    value.end(by: thread)
                    #expect(ManagedList.count(of: list.object) == model.count)
                    let loaded = (0..<7).map {
                        number(ManagedList.load(list.object, $0, by: thread), by: thread)
                    }
                    #expect(loaded == model + [Int?](repeating: nil, count: 7 - model.count))
                }
                list.end(by: thread)
            } while advance(&sequence, below: 5)
            Counting.release(nodes, by: thread)
        }
        runtime.end()
    }

    private func advance(_ digits: inout [Int], below limit: Int) -> Bool {
        for index in digits.indices {
            digits[index] += 1
            if digits[index] < limit { return true }
            digits[index] = 0
        }
        return false
    }

    @Test func `a list grows and keeps its elements`() throws {
        try interpreter.withThread { thread in
            let list = try Handle<ManagedList>(adopting: ManagedList.make(by: thread), by: thread)
            let count = rounds(10_000)
            for index in 0..<count {
                let value = try node(index, by: thread)
                try ManagedList.append(value.slot, to: list.slot, by: thread)
                value.end(by: thread)
            }
            for index in 0..<count {
                #expect(number(ManagedList.load(list.object, index, by: thread), by: thread) == index)
            }
            var sum = 0
            ManagedList.visit(list.object) {
                sum += ($0 + 16).assumingMemoryBound(to: Node.self).pointee.number
            }
            #expect(sum == count * (count - 1) / 2)
            list.end(by: thread)
        }
        runtime.end()
    }

    @Test func `old storage that cannot be deferred is deferred later, or freed at a stop`() throws {
        try interpreter.withThread { thread in
            let list = try Handle<ManagedList>(adopting: ManagedList.make(by: thread), by: thread)
            let value = try node(1, by: thread)
            try append(40, value, to: list, by: thread, withoutMemory: true)
            #expect(thread.own.pointee.undeferred != nil)
            #expect(thread.record.deferred.pointee.count == 0)
            try append(40, value, to: list, by: thread)
            #expect(thread.own.pointee.undeferred == nil)
            #expect(thread.record.deferred.pointee.count >= 5)
            #expect(ManagedList.count(of: list.object) == 80)
            #expect(Counting.count(of: value.object) == 81)
            value.end(by: thread)
            list.end(by: thread)
        }
        try interpreter.withThread { thread in  // whose queue has no memory yet
            let list = try Handle<ManagedList>(adopting: ManagedList.make(by: thread), by: thread)
            let value = try node(1, by: thread)
            try append(200, value, to: list, by: thread, withoutMemory: true)
            #expect(thread.own.pointee.undeferred != nil)
            value.end(by: thread)
            list.end(by: thread)
        }
        runtime.end()  // a stop
    }

    private func append(
        _ count: Int, _ value: borrowing Handle<Node>, to list: borrowing Handle<ManagedList>, by thread: Thread,
        withoutMemory: Bool = false
    ) throws {
        let plan = FailurePlan(withoutMemory ? [.memory] : [], ordinal: 1, isLasting: true)
        try plan.withPlan {
            for _ in 0..<count { try ManagedList.append(value.slot, to: list.slot, by: thread) }
        }
    }

    @Test func `retired storage keeps its size and shows no references`() throws {
        try interpreter.withThread { thread in
            let list = try Handle<ManagedList>(
                adopting: ManagedList.make(capacity: 1, by: thread), by: thread)
            let value = try node(1, by: thread)
            try ManagedList.append(value.slot, to: list.slot, by: thread)
            let old = ContainerBody.of(list.object).loadStorage()!
            try ManagedList.append(value.slot, to: list.slot, by: thread)
            #expect(BuiltinType.isRetired(Objects.typeIndex(of: old)))
            #expect(Objects.byteCount(of: old, in: thread.types) == 32)
            Objects.visitReferences(of: old, in: thread.types) { _ in
                Issue.record("a reference in retired storage")
            }
            value.end(by: thread)
            list.end(by: thread)
        }
        runtime.end()
    }

    // MARK: Dictionaries

    @Test func `a dictionary does what Swift's does`() throws {
        let seed = newSeed("dictionary")
        var random = SplitMix64(seed: seed)
        try interpreter.withThread { thread in
            let dictionary = try Handle<ManagedDictionary>(
                adopting: ManagedDictionary.make(by: thread), by: thread)
            var model: [String: Int] = [:]
            for step in 0..<rounds(20_000) {
                let key = "key \(random.next() % 500)"
                switch random.next() % 100 {
                case 0..<40:
                    let value = try node(step, by: thread)
                    let isNew = try key.withKey {
                        try ManagedDictionary.insert(
                            $0, hash: $1, value: value.slot, in: dictionary.slot, by: thread)
                    }
                    value.end(by: thread)
                    #expect(isNew == (model.updateValue(step, forKey: key) == nil))
                case 40..<60:
                    let found = try key.withKey {
                        try ManagedDictionary.findOrInsert(
                            $0, hash: $1, in: dictionary.slot, by: thread
                        ) { () throws(OutOfMemory) in
                            try Allocation.make(type, Node(number: step), by: thread)
                        }
                    }
                    if model[key] == nil { model[key] = step }
                    #expect(number(found, by: thread) == model[key])
                case 60..<99:
                    let found = key.withKey {
                        ManagedDictionary.find($0, hash: $1, in: dictionary.object, by: thread)
                    }
                    #expect(number(found, by: thread) == model[key])
                default:
                    let remainder = Int(random.next() % 3)
                    let removedCount = try ManagedDictionary.removeAll(
                        from: dictionary.slot, by: thread,
                        where: { key, value in
                            (value + 16).assumingMemoryBound(to: Node.self).pointee.number % 3
                                == remainder
                        })
                    let before = model.count
                    model = model.filter { $0.value % 3 != remainder }
                    #expect(removedCount == before - model.count)
                }
                #expect(ManagedDictionary.count(of: dictionary.object) == model.count)
                Safepoint.poll(thread.record)
            }
            var found: [String: Int] = [:]
            ManagedDictionary.visit(dictionary.object) { key, value in
                found[String(decoding: ManagedBytes.bytes(of: key), as: UTF8.self)] =
                    (value + 16).assumingMemoryBound(to: Node.self).pointee.number
            }
            #expect(found == model)
            dictionary.end(by: thread)
        }
        runtime.end()
    }

    @Test func `keys with one hash are told apart`() throws {
        try interpreter.withThread { thread in
            let dictionary = try Handle<ManagedDictionary>(
                adopting: ManagedDictionary.make(by: thread), by: thread)
            for index in 0..<50 {
                let value = try node(index, by: thread)
                try "\(index)".withKey { bytes, _ in
                    try ManagedDictionary.insert(
                        bytes, hash: 3, value: value.slot, in: dictionary.slot, by: thread)
                }
                value.end(by: thread)
            }
            for index in 0..<60 {
                let found = "\(index)".withKey { bytes, _ in
                    ManagedDictionary.find(bytes, hash: 3, in: dictionary.object, by: thread)
                }
                let peeked = "\(index)".withKey { bytes, _ in
                    ManagedDictionary.peek(bytes, hash: 3, in: dictionary.object)
                }
                #expect(peeked == found)
                #expect(number(found, by: thread) == (index < 50 ? index : nil))
            }
            dictionary.end(by: thread)
        }
        runtime.end()
    }

    @Test func `hashes of keys of every length differ in one bit's change`() {
        var seen: Set<UInt64> = []
        for length in 0...40 {
            var bytes = [UInt8](repeating: 0, count: length)
            seen.insert(bytes.withUnsafeBytes { BytesHash.of($0) })
            for bit in 0..<length * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8)
                seen.insert(bytes.withUnsafeBytes { BytesHash.of($0) })
                bytes[bit / 8] ^= 1 << (bit % 8)
            }
        }
        #expect(seen.count == (0...40).map { 1 + $0 * 8 }.reduce(0, +))
        runtime.end()
    }

    @Test func `what make throws is thrown and nothing is inserted`() throws {
        try interpreter.withThread { thread in
            let dictionary = try Handle<ManagedDictionary>(
                adopting: ManagedDictionary.make(by: thread), by: thread)
            #expect(throws: OutOfMemory(requestedByteCount: 1)) {
                try "key".withKey {
                    try ManagedDictionary.findOrInsert(
                        $0, hash: $1, in: dictionary.slot, by: thread
                    ) { () throws(OutOfMemory) in throw OutOfMemory(requestedByteCount: 1) }
                }
            }
            #expect(ManagedDictionary.count(of: dictionary.object) == 0)
            dictionary.end(by: thread)
        }
        runtime.end()
    }
}
