import StillpointMemory
import StillpointPlatform
import StillpointTestSupport
import StillpointThreads
import Synchronization
import Testing

@testable import StillpointObjects

/// Carries a handle into a thread's closure and out of it again.
private final class Parcel: @unchecked Sendable {
    private var content: Handle<Person>?
    init() { content = nil }
    init(_ handle: consuming Handle<Person>) { content = consume handle }
    func put(_ handle: consuming Handle<Person>) { content = consume handle }
    func open() -> Handle<Person> { content.take()! }
}

@Suite struct HandleTests {
    let runtime: TestRuntime
    let interpreter: TestInterpreter
    let type: ManagedType<Person>
    let census = Census()

    init() throws {
        runtime = try TestRuntime()
        interpreter = try runtime.makeInterpreter()
        type = try runtime.objects.types.add(Person.self)
    }

    private func make(by thread: Thread) throws -> Handle<Person> {
        try Handle.make(type, Person(life: Life(census)), by: thread)
    }

    private var roots: Set<ObjectPointer> {
        var found: Set<ObjectPointer> = []
        interpreter.objects.visitHandles { found.insert($0.pointee!) }
        return found
    }

    @Test func `the handles that are held are exactly the roots`() throws {
        try interpreter.withThread { thread in
            #expect(roots.isEmpty)
            let first = try make(by: thread)
            let second = try make(by: thread)
            #expect(roots == [first.object, second.object])
            let third = try first.copy(by: thread)
            #expect(Counting.count(of: first.object) == 2)
            first.end(by: thread)
            #expect(roots == [second.object, third.object])
            second.end(by: thread)
            third.end(by: thread)
            #expect(roots.isEmpty)
        }
        #expect(census.aliveCount == 0)
        runtime.end()
    }

    @Test func `a handle that goes out of scope gives its count up`() throws {
        try interpreter.withThread { thread in
            do {
                let handle = try make(by: thread)
                #expect(handle.payload.pointee.life.census === census)
            }
            #expect(census.aliveCount == 0)
        }
        runtime.end()
    }

    @Test func `a handle made by one thread ends on another, many times over`() throws {
        let count = rounds(20_000)
        try interpreter.withThread { maker in
            for _ in 0..<10 {
                let parcels = try (0..<count / 10).map { _ in Parcel(try make(by: maker)) }
                interpreter.start { thread in
                    for parcel in parcels { parcel.open().end(by: thread) }
                }.join()
                Safepoint.poll(maker.record)
                #expect(census.aliveCount == 0)
            }
            #expect(roots.isEmpty)
        }
        var chunkCount = 0
        var next = interpreter.objects.handles.pointee.first
        while let chunk = next {
            chunkCount += 1
            next = chunk.pointee.next
        }
        // Slots come back: no more chunks than one batch needs, and what two threads may keep.
        #expect(chunkCount <= count / 10 / HandleTable.Chunk.capacity + 6)
        runtime.end()
    }

    @Test func `a handle made on one thread is found by the others`() throws {
        let parcel = Parcel()
        interpreter.start { thread in parcel.put(try! self.make(by: thread)) }.join()
        try interpreter.withThread { thread in
            let handle = parcel.open()
            #expect(roots == [handle.object])
            handle.end(by: thread)
        }
        #expect(interpreter.settle().born == 1)
        #expect(census.aliveCount == 0)
        runtime.end()
    }

    @Test func `a handle that is held when its interpreter ends is counted`() throws {
        let parcel = Parcel()
        let life = Life(census)
        keepForever(Unmanaged.passUnretained(life).toOpaque())  // the object that is lost counts it
        try interpreter.withThread { thread in
            parcel.put(try Handle.make(type, Person(life: life), by: thread))
        }
        runtime.end(leakedObjects: 1, heldHandles: 1)
        // Its end would be diagnosed; the test keeps it.
        keepForever(Unmanaged.passRetained(parcel).toOpaque())
    }

    @Test func `a handle that ends where nothing is attached ends the process`() async {
        runtime.end()
        await #expect(processExitsWith: .failure) {
            let runtime = try TestRuntime()
            let interpreter = try runtime.makeInterpreter()
            let type = try runtime.objects.types.add(Node.self)
            let thread = try interpreter.make()
            try Attachment.attach(thread.record)
            let handle = try Handle.make(type, Node(), by: thread)
            Attachment.detach(thread.record)
            _ = consume handle
        }
    }

    @Test func `a handle that ends in another interpreter ends the process`() async {
        runtime.end()
        await #expect(processExitsWith: .failure) {
            let runtime = try TestRuntime()
            let interpreter = try runtime.makeInterpreter()
            let elsewhere = try runtime.makeInterpreter()
            let type = try runtime.objects.types.add(Person.self)
            let thread = try interpreter.make()
            try Attachment.attach(thread.record)
            let parcel = Parcel(
                try Handle.make(type, Person(life: Life(Census())), by: thread))
            Attachment.detach(thread.record)
            try elsewhere.withThread { _ in _ = parcel.open() }
        }
    }
}
