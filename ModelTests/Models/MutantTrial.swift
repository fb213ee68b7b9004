#if ModelCheck
// Trying a mutant: in a process of its own, since what a mutant breaks may be the process.

import CStillpoint
import Foundation
import StillpointModel

enum Verdict {
    /// By which model, and how it failed.
    case killed(model: String, message: String)
    /// The process of the trial ended by a signal, or took too long: whose fault that was is not known.
    case undecided(signal: Int32)
    case survived
    /// Argued to change nothing that matters.
    case equivalent(reason: String)
    /// So argued, and yet killed.
    case refuted(reason: String)
}

/// Trials side by side.
struct MutantTrials {
    let jobs: Int
    let secondsPerExploration: Double
    let budget: Budget

    /// Calls `note` for each entry, in the order in which they end.
    func run(_ entries: [MutantCatalog.Entry], note: (MutantCatalog.Entry, Verdict) -> Void) {
        var waiting = entries[...]
        var running: [pid_t: (entry: MutantCatalog.Entry, output: CInt)] = [:]
        while !waiting.isEmpty || !running.isEmpty {
            while running.count < jobs, let entry = waiting.popFirst() {
                let (process, output) = start(entry)
                running[process] = (entry, output)
            }
            var status: CInt = 0
            let ended = waitpid(-1, &status, 0)
            guard let (entry, output) = running.removeValue(forKey: ended) else { continue }
            note(entry, verdict(status, read(output)))
            close(output)
        }
    }

    private func start(_ entry: MutantCatalog.Entry) -> (pid_t, CInt) {
        var ends: [CInt] = [0, 0]
        guard pipe(&ends) == 0 else { fatalError("no pipe: \(String(cString: strerror(errno)))") }
        fflush(nil)
        let process = sp_fork()
        guard process >= 0 else { fatalError("no process: \(String(cString: strerror(errno)))") }
        if process > 0 {
            close(ends[1])
            return (process, ends[0])
        }
        for model in entry.models {
            for strategy in model.strategies(budget) {
                // A run that loops between two steps never ends, and has no step limit: the signal ends it.
                alarm(UInt32(secondsPerExploration) + 60)
                let report = model.explore(strategy, timeLimitSeconds: secondsPerExploration, mutant: entry.mutant)
                // What was left for want of time has shown nothing.
                if model.isRight(report) || report.failure == nil && !report.isExhausted { continue }
                let message = report.failure?.message ?? "passes, though it must fail"
                let text = "\(model.name)\n\(message.components(separatedBy: "\n")[0])"
                _ = text.withCString { write(ends[1], $0, strlen($0)) }
                _exit(0)
            }
        }
        _exit(1)
    }

    private func read(_ output: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Foundation.read(output, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    private func verdict(_ status: CInt, _ output: String) -> Verdict {
        if status & 0x7f != 0 { return .undecided(signal: status & 0x7f) }
        guard status >> 8 == 0 else { return .survived }
        let parts = output.components(separatedBy: "\n")
        return .killed(model: parts[0], message: parts.count > 1 ? parts[1] : "")
    }
}
#endif
