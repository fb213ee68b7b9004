// What an embedder can get wrong and the compiler lets pass: it ends the process with a text, or is a typed error.

import Stillpoint
import Testing

@Suite struct MisuseTests {
    private func expect(_ text: String, in result: ExitTest.Result?) {
        let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(said.contains(text), "it said: \(said)")
    }

    // MARK: A thread in its own `detached`

    @Test func `making an object inside one's own detached ends the process and says so`() async {
        expect("inside its own `detached`", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World()
            try world.interpreter.withThread { thread in
                _ = try thread.detached { try thread.make(world.nodes, Node()) }
            }
        })
    }

    @Test func `reading an object inside one's own detached ends the process and says so`() async {
        expect("inside its own `detached`", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World()
            try world.interpreter.withThread { thread in
                let node = try thread.make(world.nodes, Node())
                _ = thread.detached { node.read(\.number, by: thread) }
            }
        })
    }

    @Test func `a thread used inside another interpreter's scope ends the process and says so`() async {
        expect("inside its own `detached`", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World()
            let second = try world.runtime.makeInterpreter()
            try world.interpreter.withThread { thread in
                try thread.detached {
                    try second.withThread { _ in _ = try thread.makeList() }
                }
            }
        })
    }

    // MARK: What belongs elsewhere

    @Test func `making an object of another runtime's type ends the process and says so`() async {
        expect("a type of another runtime", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World(), other = try World()
            try world.interpreter.withThread { thread in _ = try thread.make(other.nodes, Node()) }
        })
    }

    @Test func `taking an object for another runtime's type ends the process and says so`() async {
        expect("a type of another runtime", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World(), other = try World()
            try world.interpreter.withThread { thread in
                let list = try thread.makeList()
                try list.append(try thread.make(world.nodes, Node()), by: thread)
                _ = try list.load(0, by: thread)!.as(other.nodes, by: thread)
            }
        })
    }

    @Test func `storing an object into one of another interpreter ends the process and says so`() async {
        expect("an object of one interpreter used by a thread of another", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World()
            let second = try world.runtime.makeInterpreter()
            try world.interpreter.withThread { thread in
                let mine = try thread.make(world.nodes, Node())
                try thread.detached {
                    try second.withThread { thread in
                        let theirs = try thread.make(world.nodes, Node())
                        theirs.store(mine, into: \.next, by: thread)
                    }
                }
            }
        })
    }

    @Test func `appending an object to a list of another interpreter ends the process and says so`() async {
        expect("an object of one interpreter used by a thread of another", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World()
            let second = try world.runtime.makeInterpreter()
            try world.interpreter.withThread { thread in
                let mine = try thread.makeList()
                try thread.detached {
                    try second.withThread { thread in
                        try mine.append(try thread.make(world.nodes, Node()), by: thread)
                    }
                }
            }
        })
    }

    // MARK: Shutdown where it would wait for itself

    @Test func `shutdown while this thread has another interpreter stopped is refused, and changes nothing`() throws {
        let world = try World()
        let second = try world.runtime.makeInterpreter()
        try world.interpreter.withWorldStopped {
            #expect(throws: RuntimeError.thread(.stopInsideStop)) { try second.shutdown() }
        }
        try second.withThread { thread in _ = try thread.makeList() }
        #expect(try second.shutdown().isClean)
        #expect(try world.end().isClean)
    }

    @Test func `shutdown in a detached of the same interpreter is refused, and changes nothing`() throws {
        let world = try World()
        let second = try world.runtime.makeInterpreter()
        try world.interpreter.withThread { thread in
            thread.detached {
                #expect(throws: RuntimeError.insideDuringShutdown) { try world.interpreter.shutdown() }
                #expect(throws: Never.self) { try second.shutdown() }
            }
            _ = try thread.makeList()
        }
        #expect(try world.end().isClean)
    }

    // MARK: Host threads

    @Test func `a host thread that is ended while attached is gone`() throws {
        let world = try World()
        let host = try world.interpreter.makeHostThread()
        try host.attach()
        try host.end()
        #expect(try world.end().isClean)
    }

    @Test func `a host thread dropped while attached ends the process and says so`() async {
        expect("a host thread was dropped while it is attached", in: await #expect(
            processExitsWith: .failure, observing: [\.standardErrorContent]
        ) {
            let world = try World()
            do {
                let host = try world.interpreter.makeHostThread()
                try host.attach()
            }
            try world.end()
        })
    }

    // MARK: Sizes

    @Test func `a capacity that no memory holds is out of memory`() throws {
        let world = try World()
        try world.interpreter.withThread { thread in
            for capacity in [Int.max, Int.max / 2, Int.max / 3, 1 << 45] {
                var refusals = 0
                do { _ = try thread.makeDictionary(capacity: capacity) } catch { refusals += 1 }
                do { _ = try thread.makeList(capacity: capacity) } catch { refusals += 1 }
                do { _ = try thread.makeArray(count: capacity) } catch { refusals += 1 }
                #expect(refusals == 3)
            }
        }
        #expect(try world.end().isClean)
    }
}
