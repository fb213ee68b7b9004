import StillpointPlatform
import StillpointSynchronization
import Synchronization

/// All workers go through rounds together. In each, one of them runs the once, which may fail and be tried again; it
/// makes the next round, writes plain memory and sets the event; the others wait and read what it wrote.
enum EventOnceScenario: Scenario {
    static let name = "event-once"
    static let summary = "once with failures, then an event: everybody sees what the runner wrote"
    static let smoke = SmokeBudget(operations: 3_000_000)

    struct Round: ~Copyable {
        let once = Once()
        let event = Event()
        let story = Shared(Story())
        /// Workers that have not left yet; the last one frees the round. Atomic, edge: what each did before it left.
        let remainingCount: Atomic<Int>

        static func make(workerCount: Int) -> UnsafeMutablePointer<Round> {
            let round = UnsafeMutablePointer<Round>.allocate(capacity: 1)
            round.initialize(to: Round(remainingCount: Atomic(workerCount)))
            return round
        }
    }

    /// What happened in a round: plain memory.
    struct Story {
        /// Written by the once, read by who comes after it.
        var attemptCount = 0
        var runner = -1
        var next: UnsafeMutablePointer<Round>?
        /// Written before the event is set, read after.
        var payload: UInt64 = 0
    }

    struct Failure: Error {}

    static func run(_ context: StressContext) throws {
        let first = Shared<UnsafeMutablePointer<Round>>(Round.make(workerCount: context.threadCount))
        try context.runWorkers { worker in
            var round = first.pointer.pointee
            while true {
                takePart(in: round, &worker)
                worker.countOperation()
                let story = round.pointee.story
                let next = story.pointer.pointee.next
                if round.pointee.remainingCount.wrappingSubtract(
                    1, ordering: .acquiringAndReleasing
                ).newValue == 0 {
                    story.destroy()
                    round.deinitialize(count: 1)
                    round.deallocate()
                }
                guard let next else { return }
                round = next
                worker.chaos()
            }
        }
        first.destroy()
    }

    private static func takePart(in round: UnsafeMutablePointer<Round>, _ worker: inout Worker) {
        let context = worker.context
        let story = round.pointee.story.pointer
        var failureCount = 0
        var hasRun = false
        while !round.pointee.once.isDone {
            do {
                hasRun = try round.pointee.once.run { () throws(Failure) in
                    story.pointee.attemptCount += 1
                    worker.chaos()
                    if story.pointee.attemptCount < 3, worker.random.oneIn(4) { throw Failure() }
                    story.pointee.runner = worker.index
                    if !context.isOver {
                        story.pointee.next = Round.make(workerCount: context.threadCount)
                    }
                }
            } catch {
                failureCount += 1
            }
        }
        context.check(
            (story.pointee.runner == worker.index) == hasRun, "the once was run by \(story.pointee.runner)")
        context.check(
            (failureCount + (hasRun ? 1 : 0)...3).contains(story.pointee.attemptCount),
            "\(story.pointee.attemptCount) attempts, \(failureCount) failures here")
        if hasRun {
            worker.chaos()
            story.pointee.payload = UInt64(worker.index + 1) &* context.seed | 1
            round.pointee.event.set()
        } else if worker.random.oneIn(2) {
            round.pointee.event.wait()
        } else {
            while !round.pointee.event.wait(untilNanoseconds: worker.deadline(within: 100_000)) {}
        }
        context.check(
            story.pointee.payload == UInt64(story.pointee.runner + 1) &* context.seed | 1,
            "the event is set, but its payload is not there")
        context.check(round.pointee.event.isSet, "an event that is set says that it is not")
    }
}
