// What a failed run leaves behind: why it failed, the schedule in words, and the token that makes it again.

/// One step of a run.
struct Step {
    let thread: UInt8
    let operation: Operation

    static let capacity = 4096
}

/// A run that failed.
public struct ModelFailureReport: Sendable, CustomStringConvertible {
    public let message: String
    /// `Exploration(.replay(token))` with the same model makes the same run.
    public let token: String
    /// One line a step.
    public let schedule: [String]
    /// Which run it was, from 1.
    public let run: Int
    public let mutant: Mutant?

    public var description: String {
        var text = "\(message)\n"
        if let mutant { text += "  mutant: \(mutant)\n" }
        for line in schedule { text += "  \(line)\n" }
        return text + "  token: \(token)"
    }
}

extension Execution {
    func failureReport(run: Int) -> ModelFailureReport {
        ModelFailureReport(
            message: failure ?? "", token: choices.token, schedule: scheduleWords(), run: run, mutant: mutant)
    }

    /// The same for the same place in every run and process, wherever memory lies.
    func placeName(_ address: UInt) -> String {
        if let name = model.placeName(address) { return name }
        if let offset = arena.offset(of: address) { return "state+\(offset)" }
        if let (index, depth) = stacks.place(of: address) {
            let name = index < model.names.count ? model.names[index] : "set-up"
            return "stack of \(name)-\(depth)"
        }
        return "0x" + String(address, radix: 16)
    }

    /// Of a long run, the beginning and the end.
    private func scheduleWords() -> [String] {
        let names = model.names
        let width = names.map(\.count).max() ?? 0
        let shown = 100
        var lines: [String] = []
        for index in 0..<traceCount {
            if index >= shown, index < traceCount - shown {
                if index == shown { lines.append("... \(traceCount - 2 * shown) steps ...") }
                continue
            }
            let step = trace[index % Step.capacity]
            let thread = Int(step.thread)
            let name = thread < names.count ? names[thread] : "thread \(thread)"
            let padding = String(repeating: " ", count: width - min(name.count, width))
            lines.append("\(name)\(padding)  \(words(step.operation))  \(step.operation.site)")
        }
        return lines
    }

    private func words(_ step: Operation) -> String {
        let place = placeName(step.address)
        let mark = (step.isStale ? ", not the newest" : "") + (step.isMutated ? ", mutated" : "")
        switch step.kind {
        case .load: return "load \(place) -> \(number(step.result)), \(step.order)\(mark)"
        case .store: return "store \(number(step.operand)) to \(place), \(step.order)\(mark)"
        case .update:
            let what = "\(step.update) \(number(step.operand)) on \(place)"
            return "\(what), was \(number(step.result)), \(step.order)\(mark)"
        case .compareExchange:
            let end = step.failed ? "fails, \(step.failureOrder)" : "\(step.order)"
            return "compareExchange to \(number(step.operand)) on \(place), was \(number(step.result)), \(end)\(mark)"
        case .fence: return "fence \(step.order)\(mark)"
        case .futexWait:
            return "futex wait on \(place) while \(number(step.operand))" + (step.failed ? ": differs" : ": sleeps")
        case .futexWake: return "futex wake of \(place) -> \(step.result)\(mark)"
        case .lock: return "lock \(place)"
        case .tryLock: return "tryLock \(place) -> \(step.failed ? "held" : "taken")"
        case .unlock: return "unlock \(place)"
        case .clock: return "clock -> \(step.result) ns"
        case .sleep: return "sleep until \(step.operand) ns"
        case .start: return "start \(model.names[Int(step.address)])"
        case .join: return "join \(model.names[Int(step.address)])"
        case .online: return "online"
        case .offline: return "offline"
        case .quiescentState: return "quiescent state\(mark)"
        case .synchronize: return "grace period, of readers \(String(step.operand, radix: 2))\(mark)"
        case .idleSpin: return "spins once more"
        case .timeOut: return "deadline passes, at \(step.result) ns"
        case .wakeWithoutCause: return "wakes without cause"
        }
    }

    private func number(_ value: UInt64) -> String {
        value < 4096 ? "\(value)" : "0x" + String(value, radix: 16)
    }
}

enum Signal {
    static func description(of signal: CInt) -> String {
        switch signal {
        case 4, 5: "trap: a precondition, an assertion or an overflow of Swift (see standard error)"
        case 6: "abort (see standard error)"
        case 7, 11: "trap: an access to memory that is not there"
        case 8: "trap: arithmetic"
        default: "signal \(signal)"
        }
    }
}
