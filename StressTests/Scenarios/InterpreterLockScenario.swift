import StillpointPlatform
import StillpointThreads

/// Two interpreters that share a lock and one with a lock of its own; a plain number a lock, changed by whoever is attached.
/// Stops of one and of all in between.
enum InterpreterLockScenario: Scenario {
    static let name = "interpreter-lock"
    static let summary = "own and shared interpreter locks: one thread attached at a time, stops in between"
    static let smoke = SmokeBudget(operations: 3_000_000)

    static func run(_ context: StressContext) throws {
        let shared = try InterpreterLock.make()
        let own = try InterpreterLock.make()
        let runtime = try StressRuntime(context, interpreterCount: 3, locks: [shared, shared, own])
        // Number 0 belongs to the shared lock, number 1 to the own one.
        let numbers = (0..<2).map { _ in Shared(0) }
        let counts = (0..<context.threadCount).map { _ in Shared((0, 0)) }
        try context.runWorkers { worker in
            let index = worker.index
            let place = index % 3
            try runtime.interpreters[place].withThread { thread in
                while worker.isRunning {
                    let which = place == 2 ? 1 : 0
                    numbers[which].pointer.pointee += 1
                    if which == 0 {
                        counts[index].pointer.pointee.0 += 1
                    } else {
                        counts[index].pointer.pointee.1 += 1
                    }
                    worker.countOperation()
                    try thread.rest(&worker)
                    if worker.random.oneIn(context.isTorture ? 16 : 256) {
                        let scope = worker.random.oneIn(2) ? nil : runtime.interpreters[place].roster
                        try StopTheWorld.begin(runtime.world, scope: scope).resume()
                        worker.countStop()
                    }
                }
            }
        }
        let sums = counts.reduce((0, 0)) {
            ($0.0 + $1.pointer.pointee.0, $0.1 + $1.pointer.pointee.1)
        }
        let found = (numbers[0].pointer.pointee, numbers[1].pointer.pointee)
        context.check(sums == found, "\(sums) additions, but the sums are \(found)")
        for number in numbers { number.destroy() }
        for count in counts { count.destroy() }
        runtime.end()
        InterpreterLock.destroy(shared)
        InterpreterLock.destroy(own)
    }
}
