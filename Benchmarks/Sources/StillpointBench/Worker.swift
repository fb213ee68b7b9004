// OS threads that run closures, signals to them, and the processors that they are bound to.

import StillpointPlatform
import Synchronization

/// An OS thread that runs a closure; joined exactly once.
struct Worker: Sendable {
    private let thread: SystemThread

    fileprivate final class Body: Sendable {
        let run: @Sendable () throws -> Void
        init(_ run: @escaping @Sendable () throws -> Void) { self.run = run }
    }

    /// - Parameter processor: the only one to run on; nil: any.
    init(
        on processor: Int? = nil, stackByteCount: Int? = nil,
        _ body: @escaping @Sendable () throws -> Void
    ) throws {
        let box = Unmanaged.passRetained(Body(body))
        do {
            thread = try SystemThread.start(
                name: "bench", stackByteCount: stackByteCount, processor: processor,
                argument: box.toOpaque(), body: runWorker)
        } catch {
            box.release()
            throw error
        }
    }

    func join() { thread.join() }
}

private func runWorker(_ argument: UnsafeMutableRawPointer?) {
    guard let argument else { return }
    do {
        try Unmanaged<Worker.Body>.fromOpaque(argument).takeRetainedValue().run()
    } catch {
        fatalError("a benchmark's thread failed: \(error)")
    }
}

/// Something that becomes so once: threads spin or sleep until then.
final class Signal: Sendable {
    private let word = Atomic<UInt32>(0)

    var isRaised: Bool { word.load(ordering: .acquiring) != 0 }

    func raise() {
        word.store(1, ordering: .releasing)
        withUnsafePointer(to: word) { _ = Futex.wake($0, count: .max) }
    }

    func wait() {
        while !isRaised { withUnsafePointer(to: word) { _ = Futex.wait(on: $0, while: 0) } }
    }
}

/// Counters of different threads, each on cache lines of its own. Each has one writer.
final class Counters: @unchecked Sendable {
    typealias Counter = UnsafeMutablePointer<Atomic<UInt64>>

    private static let stride = 128
    private let memory: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int) {
        self.count = count
        memory = .allocate(byteCount: count * Self.stride, alignment: Self.stride)
        for index in 0..<count { self[index].initialize(to: Atomic(0)) }
    }

    deinit { memory.deallocate() }

    subscript(index: Int) -> Counter {
        (memory + index * Self.stride).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    var values: [UInt64] { (0..<count).map { self[$0].value } }
}

extension UnsafeMutablePointer where Pointee == Atomic<UInt64> {
    var value: UInt64 { pointee.load(ordering: .relaxed) }

    /// Adds one. By the counter's one writer.
    @inline(__always)
    func step() { pointee.store(pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }

    /// Waits, polling nothing, until the counter has moved by `distance`.
    func waitForAdvance(by distance: UInt64) {
        let start = value
        while value &- start < distance { spinHint() }
    }
}

/// The processors that threads are bound to.
enum Binding {
    /// Two different processors of those that this program may run on; nil if there is only one.
    static let pair: (first: Int, second: Int)? = {
        let usable = (0..<4096).lazy.filter(Processors.isUsable).prefix(2)
        let found = Array(usable)
        return found.count == 2 ? (found[0], found[1]) : nil
    }()

    /// How the threads of a benchmark of two processors run, for a note.
    static let note = pair.map { "threads pinned, to processors \($0.first) and \($0.second)" }
        ?? "one processor only: threads not pinned"
}
