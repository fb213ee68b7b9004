import Stillpoint
import StillpointTestSupport
import Testing

@Suite struct StartedThreadTests {
    struct Failure: Error {}

    @Test func `a thread that another start has reaped still throws from join`() throws {
        let world = try World()
        let first = try world.interpreter.startThread(name: "first") { _ in throw Failure() }
        while true {
            let isFinished = first.isFinished
            if isFinished { break }
        }
        try world.interpreter.startThread { _ in }.join()
        do {
            try first.join()
            Issue.record("join threw nothing")
        } catch { #expect(error is Failure) }
        #expect(try world.end().uncaughtErrors == [])
    }

    @Test func `a thread that shutdown has reaped still throws from join`() throws {
        let world = try World()
        let started = try world.interpreter.startThread { _ in throw Failure() }
        #expect(try world.end().uncaughtErrors == [])
        do {
            try started.join()
            Issue.record("join threw nothing")
        } catch { #expect(error is Failure) }
    }

    @Test func `of a dropped thread shutdown tells the error, whether it was dropped before its end or after`() throws {
        let world = try World()
        let mayEnd = Signal()
        do {
            let finished = try world.interpreter.startThread(name: "after") { _ in throw Failure() }
            while true {
                let isFinished = finished.isFinished
                if isFinished { break }
            }
        }
        do {
            _ = try world.interpreter.startThread(name: "before") { thread in
                wait(for: mayEnd, thread)
                throw Failure()
            }
        }
        mayEnd.set()
        #expect(try world.end().uncaughtErrors.sorted() == ["after: Failure()", "before: Failure()"])
    }

    @Test func `an error that comes after shutdown's report is named on standard error`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            struct Late: Error {}
            let world = try World()
            let started = try world.interpreter.startThread(name: "late") { _ in throw Late() }
            try world.end()
            _ = consume started
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("late: Late()"))
    }

    @Test func `a short thread that nobody joins is never missed by shutdown`() throws {
        for _ in 0..<rounds(500) {
            let world = try World { $0.verifiesCollections = false }
            try world.interpreter.startThread { _ in throw Failure() }
            let report = try world.end()
            if report.uncaughtErrors.count != 1 { Issue.record("\(report)") }
        }
    }

    @Test func `a thread that joins itself is told so`() throws {
        let world = try World()
        let own = LateBox()
        let isKept = Signal()
        let isRefused = Signal()
        own.thread = try world.interpreter.startThread { thread in
            wait(for: isKept, thread)
            do { try own.thread.take()!.join() } catch {
                if error as? RuntimeError == .joinOfItself { isRefused.set() }
            }
        }
        isKept.set()
        #expect(try world.end().uncaughtErrors == [])
        #expect(isRefused.isSet)
    }

    private final class LateBox: @unchecked Sendable {
        var thread: StartedThread?
    }
}
