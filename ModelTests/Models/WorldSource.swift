#if ModelCheck
// Interpreters with thread states, for models of floor 4. A world is made once, by the runtime's own code but without its
// service thread, and its memory put back before each run to what it was: making one takes longer than a run.

import CStillpoint
import StillpointMemory
import StillpointModel
import StillpointPlatform
@testable import StillpointSynchronization

@testable import StillpointThreads

typealias ThreadState = UnsafeMutablePointer<ThreadRecord>
typealias Interpreter = UnsafeMutablePointer<Roster>

/// One for each model: worlds, one after the other.
final class WorldSource {
    private let interpreterCount: Int
    private let hooks: ThreadHooks
    private var world: UnsafeMutablePointer<World>?
    private var interpreters: [Interpreter] = []
    private var images: [MemoryImage] = []

    init(interpreters: Int = 1, hooks: ThreadHooks = ThreadHooks()) {
        interpreterCount = interpreters
        self.hooks = hooks
    }

    /// The world of a run. Mutexes are as specified, and the invariants of stops are looked at after every step.
    func begin(_ model: Model) -> ModelWorld {
        Specification.take(.bucket, .mutex)
        ModelThread.separateCurrentThread()
        if world == nil { make() }
        for image in images { image.restore() }
        return ModelWorld(model: model, world: world!, interpreters: interpreters)
    }

    private func make() {
        do {
            let world = try World.makeUnserved(hooks: hooks)
            var heaps: [UnsafeMutablePointer<InterpreterHeap>] = []
            for _ in 0..<interpreterCount {
                let heap = UnsafeMutablePointer<InterpreterHeap>.allocate(capacity: 1)
                heap.initialize(to: InterpreterHeap())
                heaps.append(heap)
                interpreters.append(try Roster.make(in: world, heap: heap))
            }
            self.world = world
            images = [MemoryImage(of: world)] + interpreters.map { MemoryImage(of: $0) } + heaps.map { MemoryImage(of: $0) }
        } catch {
            fatalError("no world for a model: \(error)")
        }
    }
}

/// The world of one run.
struct ModelWorld {
    let model: Model
    let world: UnsafeMutablePointer<World>
    let interpreters: [Interpreter]

    init(model: Model, world: UnsafeMutablePointer<World>, interpreters: [Interpreter]) {
        self.model = model
        self.world = world
        self.interpreters = interpreters
        let invariants = StopInvariants(of: world)
        model.invariant("of stops") { invariants.hold() }
        model.finally { [self] in end() }
        model.name(UnsafeRawPointer(world.pointee.roll.key), "roll")
        model.name(world.stop.pointee.countdown, "countdown of all")
        for (index, interpreter) in interpreters.enumerated() {
            let letter = Self.letter(index)
            model.name(interpreter.pointee.stop.countdown, "countdown of \(letter)")
            model.name(interpreter.pointee.resumedCount, "resumedCount of \(letter)")
        }
    }

    private static func letter(_ index: Int) -> String { ["A", "B", "C"][index] }

    // MARK: In the set-up

    /// A thread state of interpreter number `index`, bound to model thread number `owner` as by an earlier attach.
    func threadState(_ name: String, in index: Int = 0, of owner: Int?) -> ThreadState {
        let thread: ThreadState
        do {
            thread = try Roster.makeThread(in: interpreters[index])
        } catch {
            fatalError("no thread state for a model: \(error)")
        }
        if let owner { thread.pointee.boundThread.store(UInt(owner) + 1, ordering: .relaxed) }
        model.name(thread.pointee.participant.word, "\(name)'s word")
        return thread
    }

    /// The same, attached: its model thread begins with `takeOver`.
    func attached(_ name: String, in index: Int = 0, of owner: Int) -> ThreadState {
        let thread = threadState(name, in: index, of: owner)
        thread.pointee.participant.word.store(ThreadWord.attached, ordering: .relaxed)
        return thread
    }

    /// The same, dormant: a stop has passed over it.
    func dormant(_ name: String, in index: Int = 0, of owner: Int) -> ThreadState {
        let thread = threadState(name, in: index, of: owner)
        stop(interpreters[index]) {}
        return thread
    }

    // MARK: In threads

    /// What the first attach of a thread does besides binding.
    func register() {
        do { try Reclamation.registerReader() } catch { modelFailure("no reader of grace periods: \(error)") }
    }

    /// What a model thread begins with whose thread state was attached by the set-up.
    func takeOver(_ thread: ThreadState) {
        register()
        sp_set_current_thread(thread)
        Quiescence.goOnline()
    }

    /// The same whose thread state was bound, and is to be attached by `thread` itself.
    func attach(_ thread: ThreadState) {
        register()
        do { try Attachment.attach(thread) } catch { modelFailure("attach was refused: \(error)") }
    }

    /// Stops what is in scope, and lets it go after `pause`.
    func stop(_ scope: Interpreter?, _ pause: () -> Void) {
        do {
            try StopTheWorld.with(world, scope: scope, pause)
        } catch {
            modelFailure("a stop was refused: \(error)")
        }
    }

    /// A thread state that ends itself.
    func endCurrent(_ thread: ThreadState) {
        do { try Roster.clear(thread, by: thread) } catch { modelFailure("clear was refused: \(error)") }
        Roster.deleteCurrent(thread)
    }

    // MARK: In the end

    /// Nothing is left: no stop, nobody to wait for; and the thread states go.
    private func end() {
        func expect(_ condition: Bool, _ text: String) { if !condition { modelFailure("in the end: " + text) } }
        expect(world.pointee.firstRequest == nil, "a stop waits for its turn")
        expect(!world.pointee.stop.isActive && world.pointee.rosterStopCount == 0, "a stop is active")
        World.forEachRoster(of: world, in: nil) { roster in
            expect(!roster.pointee.stop.isActive, "a stop is active")
            expect(roster.pointee.resumedCount.load(ordering: .relaxed) == 0, "W12: somebody has yet to run")
            Roster.forEachMember(of: roster) { thread in
                let word = thread.loadWord()
                expect(word & ThreadWord.stopRequested == 0, "a thread is asked to stop")
                expect(
                    ThreadWord.state(word) != ThreadWord.suspended || word & ThreadWord.isDormant != 0,
                    "a thread is left suspended")
            }
            while let thread = roster.pointee.threads ?? roster.pointee.dormant {
                thread.pointee.participant.word.bitwiseAnd(~ThreadWord.stateMask, ordering: .relaxed)
                Roster.deleteUnused(thread)
            }
            expect(roster.pointee.threadCount == 0, "threads are counted that are gone")
        }
    }
}
#endif
