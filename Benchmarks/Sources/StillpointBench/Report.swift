// What is printed: the machine, each row whole as soon as it is measured, the table of all rows, and how busy the
// machine was meanwhile; or the same as JSON.

import Foundation

struct Report: Encodable {
    struct Benchmark: Encodable {
        let name: String
        let command: String
        let rows: [Row]
    }

    var machine: Machine
    let rounds: Int
    var benchmarks: [Benchmark]

    /// The lines above the table.
    var head: String {
        var lines = machine.lines
        lines.append("")
        lines.append(
            "Ours and the peer in turns, \(rounds) rounds: median (least … most). "
                + "The ratio is taken in each round; its median is held to the bound.")
        return lines.joined(separator: "\n")
    }

    /// All rows in one table, by their medians, and the lines below it.
    var foot: String {
        let verdicts = benchmarks.flatMap(\.rows).compactMap(\.isMet)
        let missed = verdicts.count { !$0 }
        return """

            \(table)

            \(verdicts.count) bounds, \(verdicts.count - missed) met, \(missed) missed.
            \(machine.load)
            """
    }

    private var table: String {
        var cells = [["benchmark", "what", "ours", "peer", "ratio", "bound", ""]]
        for benchmark in benchmarks {
            cells.append(contentsOf: benchmark.rows.map { [benchmark.name] + $0.cells })
        }
        let widths = cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            zip(row, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

extension Report.Benchmark {
    /// The rows of one benchmark whole, each on lines of its own.
    var text: String {
        var lines = ["", "\(name)   \(command)"]
        for row in rows {
            lines.append("  \(row.what)")
            lines.append(contentsOf: row.figures.map { "    " + $0 })
            lines.append(contentsOf: row.notes.map { "    " + $0 })
        }
        return lines.joined(separator: "\n")
    }
}

extension Row {
    private static let labelWidth = 9

    fileprivate var figures: [String] {
        let verdict = isMet.map { $0 ? "met" : "MISSED" }
        let held = bound.map { "   bound \($0.text): \(verdict ?? "")" } ?? ""
        guard let peer, let ratio, let peerName else { return [line("ours", unit.text(ours) + held)] }
        return [
            line("ours", unit.text(ours)),
            line("peer", "\(unit.text(peer))   \(peerName)"),
            line(
                "ratio",
                "\(Figure.plain(ratio.median)) (\(Figure.plain(ratio.least)) … \(Figure.plain(ratio.most)))"
                    + held),
        ]
    }

    /// What, ours, peer, ratio, bound, verdict.
    fileprivate var cells: [String] {
        [
            what, unit.text(ours.median), peer.map { unit.text($0.median) } ?? "",
            ratio.map { Figure.plain($0.median) } ?? "", bound?.text ?? "",
            isMet.map { $0 ? "met" : "MISSED" } ?? "",
        ]
    }

    private func line(_ label: String, _ text: String) -> String {
        label.padded(to: Self.labelWidth) + text
    }
}
