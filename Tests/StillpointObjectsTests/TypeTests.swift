import StillpointMemory
import StillpointPlatform
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

private struct Pair { var left = Field<Node>(); var right = Field<Node>() }

private struct Nested: ManagedPayload {
    var flag: UInt8 = 0
    var pair = Pair()
    static var references: [PartialKeyPath<Nested>] { [\.pair.left, \.pair.right] }
}

private struct Wrong: ManagedPayload {
    var number = 0
    var field = Field<Node>()
    static var references: [PartialKeyPath<Wrong>] { [\.field, \.number] }
}

private struct Computed: ManagedPayload {
    var field: Field<Node> { Field() }
    static var references: [PartialKeyPath<Computed>] { [\.field] }
}

private struct Empty: ManagedPayload {}

@Suite struct TypeTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter
    var types: UnsafeMutablePointer<TypeTable> { runtime.objects.types }

    init() throws {
        runtime = try TestRuntime(maximumTypeCount: 12)
        interpreter = try runtime.makeInterpreter()
    }

    @Test func `the table takes as many types as it was made for`() throws {
        #expect(types.count == BuiltinType.count)
        for number in BuiltinType.count + 1...12 {
            #expect(try types.add(TypeLayout(name: "type \(number)", payloadByteCount: 8)) == number)
        }
        #expect(throws: TypeError.tooManyTypes) { try types.add(Node.self) }
        #expect(types.count == 12)
        #expect(types.name(of: 12) == "type 12")
        #expect(types.name(of: BuiltinType.list) == "list")
        runtime.end()
    }

    @Test func `what is no stored field is not accepted as a reference`() throws {
        #expect(throws: TypeError.notAReference(position: 1)) { try types.add(Wrong.self) }
        #expect(throws: TypeError.notAReference(position: 0)) { try types.add(Computed.self) }
        for offset in [-8, 4, 12, 16] {
            #expect(throws: TypeError.notAReference(position: 0)) {
                try types.add(
                    TypeLayout(name: "bad", payloadByteCount: 16, referenceOffsets: [offset]))
            }
        }
        #expect(throws: TypeError.unsuitableSize(-1)) {
            try types.add(TypeLayout(name: "negative", payloadByteCount: -1))
        }
        #expect(throws: TypeError.unsuitableSize(7)) {
            try types.add(TypeLayout(name: "small", payloadByteCount: 7, variablePart: .bytes))
        }
        #expect(types.count == BuiltinType.count)
        runtime.end()
    }

    @Test func `the references of nested members are found`() throws {
        let type = try types.add(Nested.self)
        let nodes = try types.add(Node.self)
        try interpreter.withThread { thread in
            let left = try Handle.make(nodes, Node(number: 1), by: thread)
            let right = try Handle.make(nodes, Node(number: 2), by: thread)
            let nested = try Handle.make(
                type, Nested(pair: Pair(left: Field(left), right: Field(right))), by: thread)
            var found: [ObjectPointer?] = []
            Objects.visitReferences(of: nested.object, in: types) { found.append($0.loadObject()) }
            #expect(found == [left.object, right.object])
            nested.end(by: thread)
            #expect(Counting.count(of: left.object) == 1)
            left.end(by: thread)
            right.end(by: thread)
        }
        runtime.end()
    }

    @Test func `the size of an object is header, payload and elements`() throws {
        let node = try types.add(Node.self)
        let empty = try types.add(Empty.self)
        let words = try types.add(
            TypeLayout(
                name: "words", payloadByteCount: 24, referenceOffsets: [8],
                variablePart: .references))
        try interpreter.withThread { thread in
            func size(_ object: ObjectPointer) -> Int {
                defer { Counting.release(object, by: thread) }
                return Objects.byteCount(of: object, in: types)
            }
            #expect(size(try Allocation.make(node, Node(), by: thread)) == 16 + 24)
            #expect(size(try Allocation.make(empty, Empty(), by: thread)) == 16)
            #expect(size(try Allocation.make(typeIndex: words, elementCount: 3, by: thread)) == 64)
            #expect(size(try ManagedArray.make(count: 5, by: thread)) == 16 + 8 + 40)
            #expect(size(try ManagedList.make(by: thread)) == 32)
            for length in [0, 1, 7, 8, 1000, 100_000] {
                let bytes = [UInt8](repeating: 1, count: length)
                let object = try bytes.withUnsafeBytes { try ManagedBytes.make($0, by: thread) }
                #expect(size(object) == 32 + length)
            }
        }
        runtime.end()
    }

    @Test func `visiting finds fixed slots and every element`() throws {
        let words = try types.add(
            TypeLayout(
                name: "words", payloadByteCount: 24, referenceOffsets: [8, 16],
                variablePart: .references))
        try interpreter.withThread { thread in
            for count in 0...4 {
                let object = try Allocation.make(typeIndex: words, elementCount: count, by: thread)
                var offsets: [Int] = []
                Objects.visitReferences(of: object, in: types) {
                    offsets.append(UnsafeMutableRawPointer($0) - object)
                    #expect($0.loadObject() == nil)
                }
                #expect(offsets == [24, 32] + (0..<count).map { 40 + 8 * $0 })
                Counting.release(object, by: thread)
            }
        }
        runtime.end()
    }

    @Test func `more elements than memory can hold are an error`() throws {
        try interpreter.withThread { thread in
            #expect(throws: OutOfMemory.self) { try ManagedArray.make(count: .max, by: thread) }
            #expect(throws: OutOfMemory.self) { try ManagedArray.make(count: 1 << 46, by: thread) }
        }
        runtime.end()
    }
}
