// An exploration: the runs of one model under one strategy, until all are made, a limit is reached or one fails.
//
//     let report = Exploration(.depthFirst(preemptions: 2, staleReads: 2)).run("handshake") { model in
//         let flag = Atomic<Bool>(false)
//         model.thread("setter") { flag.store(true, ordering: .releasing) }
//         model.thread("getter") { _ = flag.load(ordering: .acquiring) }
//     }

internal import CStillpointModel

/// How a model is explored. One OS thread makes all runs; explorations on different OS threads do not touch, unless
/// the code under test has global state.
public struct Exploration {
    public var strategy: ExplorationStrategy
    /// At most so many runs are made.
    public var runLimit = Int.max
    /// No run begins later than this.
    public var timeLimitSeconds: Double?
    /// What one line of the source does less than it says.
    public var mutant: Mutant?
    /// Where the places that can be mutated are listed.
    public var sites: SiteList?

    public init(
        _ strategy: ExplorationStrategy, runLimit: Int = .max, timeLimitSeconds: Double? = nil,
        mutant: Mutant? = nil, sites: SiteList? = nil
    ) {
        self.strategy = strategy
        self.runLimit = runLimit
        self.timeLimitSeconds = timeLimitSeconds
        self.mutant = mutant
        self.sites = sites
    }

    /// Explores the model that `setUp` describes. `setUp` is called for each run.
    public func run(_ name: String, _ setUp: @escaping (Model) -> Void) -> ExplorationReport {
        precondition(!ModelThread.isInside, "an exploration inside a run")
        guard let explorer = strategy.makeExplorer() else { preconditionFailure("\(strategy): this is no token") }
        let execution = Execution(explorer: explorer, mutant: mutant, sites: sites, setUp: setUp)
        var report = ExplorationReport(model: name, strategy: "\(strategy)")
        Self.begin(execution)
        defer {
            Self.end()
            execution.tearDown()
        }
        let start = sp_model_wall_nanoseconds()
        let processorStart = sp_model_processor_nanoseconds()
        let limit = min(runLimit, strategy.runLimit)
        let deadline = timeLimitSeconds.map { start + UInt64($0 * 1e9) } ?? .max
        var number = 0
        while number < limit {
            if number & 63 == 0, number > 0, sp_model_wall_nanoseconds() > deadline { break }
            explorer.beginRun(number)
            execution.run()
            number += 1
            if execution.failure == nil { execution.failure = explorer.drift }
            report.note(execution, explorer)
            if execution.failure != nil {
                report.failure = execution.failureReport(run: number)
                break
            }
            guard explorer.endRun(execution) else { break }
        }
        report.isExhausted = explorer.isExhausted && report.failure == nil
        report.processorSeconds = Double(sp_model_processor_nanoseconds() - processorStart) / 1e9
        report.seconds = Double(sp_model_wall_nanoseconds() - start) / 1e9
        return report
    }

    private static func begin(_ execution: Execution) {
        sp_model_set_execution(Unmanaged.passRetained(execution).toOpaque())
        sp_model_set_hooks(
            { address, byteCount, isWrite, instruction in
                Execution.withCurrent {
                    $0.plainAccess(address, byteCount, isWrite != 0, Site(instruction: instruction))
                }
            },
            { address, byteCount, isFreed in
                Execution.withCurrent { $0.memoryChanged(address, byteCount, isFreed: isFreed != 0) }
            })
        sp_model_catch_traps { signal, mode in
            Execution.withCurrent { execution in
                if mode == Mode.thread || mode == Mode.quiet { execution.failByTrap(signal) }
                execution.writeLastWords(signal)
            }
        }
    }

    private static func end() {
        sp_model_release_traps()
        if let pointer = sp_model_execution() { Unmanaged<Execution>.fromOpaque(pointer).release() }
        sp_model_set_execution(nil)
    }
}

extension Execution {
    /// The checker itself is at fault, and the process about to die of it.
    func writeLastWords(_ signal: CInt) {
        var text = "stillpoint model checker: \(Signal.description(of: signal)); token so far: \(choices.token)\n"
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { sp_model_write_error($0.baseAddress!, $0.count) }
        }
    }
}
