#if ModelCheck
// Mutants of the protocols, and who kills them.

import ArgumentParser
import Foundation
import StillpointModel

struct MutantsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mutants",
        abstract: "Weakens each ordering, takes out each store, wake and recheck, one at a time: each must make a model fail.")

    @Option(help: ArgumentHelp("Only mutants of this source file.", valueName: "File.swift"))
    var file: String?

    @Option(help: ArgumentHelp("Only models whose name contains this text.", valueName: "text"))
    var filter = ""

    @Option(help: ArgumentHelp("Tries so many, drawn at random.", valueName: "count"))
    var sample: Int?

    @Option(help: ArgumentHelp("What the sample is drawn by.", valueName: "seed"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("How many are tried side by side.", valueName: "count"))
    var jobs = 2

    @Option(help: ArgumentHelp("Leaves an exploration after so many seconds.", valueName: "seconds"))
    var limit = 10.0

    @Flag(help: "Explores deeper.")
    var long = false

    @Option(help: ArgumentHelp("Writes the table of who kills whom between the markers of this Markdown file.", valueName: "file"))
    var table: String?

    func validate() throws {
        if let sample, sample < 1 { throw ValidationError("--sample is a number from 1 on.") }
        if jobs < 1 { throw ValidationError("--jobs is a number from 1 on.") }
        if limit <= 0 { throw ValidationError("--limit is a number of seconds above 0.") }
        if table != nil, sample != nil || file != nil || !filter.isEmpty {
            throw ValidationError("--table is of all mutants: leave out --file, --filter and --sample.")
        }
    }

    func run() throws {
        let models = allModels.filter { filter.isEmpty || $0.name.contains(filter) }
        guard !models.isEmpty else { throw ValidationError("No model's name contains '\(filter)'.") }
        let catalog = try MutantCatalog(models: models)
        var entries = catalog.entries
        if let file {
            entries = entries.filter { $0.mutant.site.fileID.hasSuffix("/" + file) || $0.mutant.site.fileID.isEmpty }
            guard !entries.isEmpty else { throw ValidationError("No model comes by an ordering of '\(file)'.") }
        }
        if let sample {
            var generator = Draw(state: seed ?? UInt64.random(in: 0...UInt64.max))
            print("seed \(generator.state)")
            entries = Array(entries.shuffled(using: &generator).prefix(sample))
        }
        var results: [(MutantCatalog.Entry, Verdict)] = []
        let trials = MutantTrials(jobs: jobs, secondsPerExploration: limit, budget: long ? .long : .smoke)
        trials.run(entries) { entry, found in
            var verdict = found
            // What is argued to be equivalent is tried like the others: a kill says that the argument is wrong.
            if let argued = EquivalentMutant.find(entry.mutant) {
                if case .survived = found { verdict = .equivalent(reason: argued.reason) } else { verdict = .refuted(reason: argued.reason) }
            }
            results.append((entry, verdict))
            print(MutantReport.line(entry, verdict))
        }
        if let table { try MutantReport.write(results, to: table) }
        try conclude(results, catalog)
    }

    private func conclude(_ results: [(MutantCatalog.Entry, Verdict)], _ catalog: MutantCatalog) throws {
        let survivors = results.filter {
            switch $0.1 {
            case .survived, .undecided, .refuted: true
            case .killed, .equivalent: false
            }
        }
        let equivalents = results.count { if case .equivalent = $0.1 { true } else { false } }
        let unreached = catalog.unreached.filter { place in file.map { place.contains("/\($0):") } ?? filter.isEmpty }
        for place in unreached { print("no model comes by the ordering at \(place)") }
        for (entry, verdict) in survivors {
            print("\(MutantReport.line(entry, verdict)): \(MutantCatalog.code(at: entry.mutant.site))")
        }
        print("""
            \(results.count - survivors.count - equivalents) killed, \(equivalents) equivalent, \(survivors.count) survived, \
            \(unreached.count) orderings not reached
            """)
        if !survivors.isEmpty || !unreached.isEmpty { throw ExitCode.failure }
    }
}

/// SplitMix64.
private struct Draw: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Mutants in words.
enum MutantReport {
    static func line(_ entry: MutantCatalog.Entry, _ verdict: Verdict) -> String {
        "\(entry.mutant): \(words(verdict))"
    }

    private static func words(_ verdict: Verdict) -> String {
        switch verdict {
        case .killed(let model, let message): "killed by '\(model)': \(message)"
        case .undecided(let signal): "UNDECIDED: the process of the trial ended by signal \(signal)"
        case .survived: "SURVIVED"
        case .equivalent(let reason): "equivalent: \(reason)"
        case .refuted(let reason): "REFUTED: a model fails, though it was argued: \(reason)"
        }
    }

    private static let begin = "<!-- mutants: begin -->", end = "<!-- mutants: end -->"

    /// Replaces what is between the markers of the file.
    static func write(_ results: [(MutantCatalog.Entry, Verdict)], to path: String) throws {
        let page = try String(contentsOfFile: path, encoding: .utf8)
        guard let from = page.range(of: begin), let to = page.range(of: end) else {
            throw ValidationError("\(path) has no line '\(begin)' and '\(end)' between which the table goes.")
        }
        let sorted = results.sorted { key($0.0) < key($1.0) }
        var text = "\n| file | place | taken away | killed by |\n|---|---|---|---|\n"
        for (entry, verdict) in sorted {
            let site = entry.mutant.site
            let file = site.fileID.split(separator: "/").last.map(String.init) ?? ""
            let code = MutantCatalog.code(at: site).replacingOccurrences(of: "|", with: "\\|")
            text += "| \(file) | `\(code)` | \(entry.mutant.change.rawValue) | \(cell(verdict)) |\n"
        }
        try page.replacingCharacters(in: from.upperBound..<to.lowerBound, with: text)
            .write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func key(_ entry: MutantCatalog.Entry) -> String {
        let line = String(entry.mutant.site.line)
        return "\(entry.mutant.site.fileID) \(String(repeating: "0", count: 6 - line.count))\(line) \(entry.mutant)"
    }

    private static func cell(_ verdict: Verdict) -> String {
        switch verdict {
        case .killed(let model, _): model
        case .undecided: "**undecided**"
        case .survived: "**survives**"
        case .equivalent(let reason): "equivalent: \(reason)"
        case .refuted: "**refuted**"
        }
    }
}
#endif
