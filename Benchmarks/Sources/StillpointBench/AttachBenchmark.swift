// Detach and attach of a thread that nobody stops, against liburcu's offline and online as Debian ships them. (Ours contain
// the same two calls, with a cheaper fence.)
// CPython's pair is measured by a program of its own, once a round, if script/peers has made CPython.

import CLiburcuPeer
import Foundation
import StillpointThreads

enum AttachBenchmark {
    private static let pairs = 5_000

    @Sendable static func run(rounds: Int) throws -> [Row] {
        let bed = try Bed()
        defer { bed.end() }
        var cpython: [CPythonFigure] = []
        let measured = try bed.interpreter.withThread { thread in
            (0..<rounds).flatMap { _ in
                if let figure = CPythonFigure.measure() { cpython.append(figure) }
                return Round.measure(
                    1, slices: Round.sliceCount,
                    ours: { nanoseconds { detachAndAttach(thread, pairs) } / Double(pairs) },
                    peer: { nanoseconds { liburcu_peer_offline_online(pairs) } / Double(pairs) })
            }
        }
        let hasCPython = cpython.count == measured.count
        let absence = hasCPython ? [] : ["CPython's pair is left out: \(CPythonFigure.absence)"]
        var rows = [
            Row(
                "detach + attach, uncontended", against: "liburcu's offline + online", measured,
                bound: .atMost(1.3),
                notes: ["one pair; \(Round.sliceCount) slices of \(pairs) pairs a round"] + absence)
        ]
        if hasCPython {
            let beside = zip(measured, cpython).map { round, figure in
                Round(ours: round.ours, peer: figure.nanosecondsPerPair)
            }
            rows.append(
                Row(
                    "detach + attach, beside CPython's",
                    against: "\(cpython[0].peer), a process a round", beside, bound: nil))
        }
        return rows
    }

    @inline(never)
    private static func detachAndAttach(_ thread: Thread, _ pairs: Int) {
        for _ in 0..<pairs {
            Attachment.detach(thread)
            attachAgain(thread)
        }
    }
}

/// The line that Benchmarks/Peers/cpython-attach prints.
private struct CPythonFigure: Decodable {
    let peer: String
    /// The median of the batches of one process.
    let nanosecondsPerPair: Double

    private enum CodingKeys: String, CodingKey {
        case peer
        case nanosecondsPerPair = "nanoseconds_per_pair"
    }

    static let absence = "no .peers/bin/python3.13t, which script/peers makes"

    /// Nil when there is no CPython, or it fails.
    static func measure() -> CPythonFigure? {
        let interpreter = Repository.path + "/.peers/bin/python3.13t"
        guard FileManager.default.isExecutableFile(atPath: interpreter) else { return nil }
        let program = Repository.path + "/Benchmarks/Peers/cpython-attach"
        guard let line = Command.output(of: [program]) else { return nil }
        return try? JSONDecoder().decode(CPythonFigure.self, from: Data(line.utf8))
    }
}
