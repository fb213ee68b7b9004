// The report for people: short, one fact a line, figures in one column.

struct TextReport {
    private static let namedSkips = 10
    private static let labelWidth = 22
    private static let figureWidth = 15

    private var text = ""

    static func render(_ report: IndexReport) -> String {
        var lines = TextReport()
        lines.input(report)
        lines.runs(report)
        lines.query(report.query)
        lines.drops(report)
        lines.pauses(report)
        lines.memory(report.memory)
        lines.checks(report.checks)
        return lines.text
    }

    // MARK: - Parts

    private mutating func input(_ report: IndexReport) {
        let input = report.input
        line("stillpoint \(report.version) index \(report.paths.joined(separator: " "))")
        if let limit = input.defaultLimit {
            line("no path given: reads up to \(Figures.megabytes(limit.bytes)) or "
                + "\(limit.seconds) s of the one-thread run"
                + (limit.isReached
                    ? "; the limit left out \(Figures.count(input.filesLeftOut, "file"))" : ""))
        }
        heading("Input")
        fact("files indexed", Figures.count(input.filesIndexed),
            "of \(Figures.count(input.filesFound)) found")
        fact("bytes of text", Figures.count(input.bytes))
        fact("words", Figures.count(input.words),
            "\(Figures.count(input.distinctWords)) distinct"
                + (input.cutWords == 0 ? "" : ", \(Figures.count(input.cutWords)) cut to 64 bytes"))
        if input.hiddenEntries + input.repeatedEntries > 0 {
            fact("passed over", Figures.count(input.hiddenEntries + input.repeatedEntries),
                "\(Figures.count(input.hiddenEntries)) named with a dot, "
                    + "\(Figures.count(input.repeatedEntries)) found already")
        }
        skipped(input)
        named("shrank meanwhile", input.shrunk)
        named("grew meanwhile", input.grown)
        named("changed meanwhile", input.changed)
    }

    private mutating func skipped(_ input: IndexReport.Input) {
        guard input.skippedCount > 0 else { return fact("skipped", "0") }
        let reasons = input.skippedByReason.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        fact("skipped", Figures.count(input.skippedCount),
            reasons.map { "\($0.key) \(Figures.count($0.value))" }.joined(separator: ", "))
        for file in input.skipped.prefix(Self.namedSkips) { line("    \(file.path): \(file.reason)") }
        more(input.skipped.count)
    }

    private mutating func named(_ label: String, _ paths: [String]) {
        guard !paths.isEmpty else { return }
        fact(label, Figures.count(paths.count))
        for path in paths.prefix(Self.namedSkips) { line("    \(path)") }
        more(paths.count)
    }

    private mutating func more(_ count: Int) {
        guard count > Self.namedSkips else { return }
        line("    and \(Figures.count(count - Self.namedSkips)) more (--json names all)")
    }

    private mutating func runs(_ report: IndexReport) {
        heading("Index")
        for run in report.runs {
            fact(Figures.count(run.threads, "thread"), Figures.duration(run.wallNanoseconds),
                "\(Figures.count(run.objects)) objects in \(Figures.count(run.objectBytes)) bytes, "
                    + Figures.count(run.collections, "collection"))
        }
        if let speedUp = report.speedUp {
            fact("speed-up", ratio(speedUp), "wall time of the first run over the second's")
        } else {
            line("  one thread: no speed-up")
        }
        line("  the files were read once before anything was timed")
    }

    private mutating func query(_ query: IndexReport.Query) {
        heading("Query: " + query.words.joined(separator: " ")
            + (query.isDefault ? " (the words that most documents hold)" : ""))
        fact("documents", Figures.count(query.documents),
            "hold \(query.words.count == 1 ? "it" : "all of them"), found in \(Figures.duration(query.nanoseconds))")
        for hit in query.top { fact("", Figures.count(hit.count), hit.path) }
    }

    private mutating func drops(_ report: IndexReport) {
        drop("Later half dropped", report.halfDropped)
        drop("Rest dropped", report.allDropped)
    }

    private mutating func drop(_ name: String, _ drop: IndexReport.Drop) {
        heading(name)
        fact("documents", Figures.count(drop.documents),
            "and \(Figures.count(drop.words)) words that stood in no other")
        fact("objects before", Figures.count(drop.objectsBefore),
            "of which the collection found \(Figures.count(drop.objectsFound))")
        fact("cycles reclaimed", Figures.count(drop.cyclicObjectsFreed),
            "objects that only cycles kept alive, of "
                + "\(Figures.count(drop.objectsFreedByCollector)) the collection freed")
        fact("left", Figures.count(drop.objectsLeft),
            "objects in \(Figures.count(drop.objectBytesLeft)) bytes")
    }

    private mutating func pauses(_ report: IndexReport) {
        heading("Stops of the world, \(Figures.count(report.runs.last!.threads, "thread"))")
        durations("pauses", report.pauses)
        durations("time to safepoint", report.timeToSafepoint)
    }

    private mutating func durations(_ label: String, _ durations: IndexReport.Durations) {
        if let each = durations.nanoseconds {
            fact(label, Figures.count(durations.count),
                each.map { Figures.duration($0) }.joined(separator: ", "))
        } else {
            fact(label, Figures.count(durations.count),
                "p50 \(Figures.duration(durations.p50Nanoseconds ?? 0)), "
                    + "p99 \(Figures.duration(durations.p99Nanoseconds ?? 0)), "
                    + "longest \(Figures.duration(durations.longestNanoseconds))")
        }
    }

    private mutating func memory(_ memory: IndexReport.Memory) {
        heading("Resident memory")
        fact("before", Figures.megabytes(memory.startBytes))
        fact("peak", Figures.megabytes(memory.peakBytes))
        fact("half dropped", Figures.megabytes(memory.halfDroppedBytes))
        fact("all dropped", Figures.megabytes(memory.finalBytes),
            "\(percent(memory.finalShareOfPeak)) of the peak, both above what it was before")
    }

    private mutating func checks(_ checks: [IndexReport.Check]) {
        heading("Checks")
        for check in checks {
            line("  \(Self.word(for: check.isPassed))  \(check.name): \(check.detail)")
        }
    }

    private static func word(for isPassed: Bool?) -> String {
        switch isPassed {
        case true?: "holds"
        case false?: "FAILS"
        case nil: "not made:"
        }
    }

    // MARK: - Lines

    private mutating func heading(_ name: String) { text += "\n\(name.withoutControlCharacters)\n" }

    private mutating func line(_ content: String) { text += content.withoutControlCharacters + "\n" }

    private mutating func fact(_ label: String, _ figure: String, _ remark: String = "") {
        let label = label + String(repeating: " ", count: max(1, Self.labelWidth - label.count))
        let room = String(repeating: " ", count: max(0, Self.figureWidth - figure.count))
        line("  " + label + room + figure + (remark.isEmpty ? "" : "  " + remark))
    }

    private func ratio(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    private func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10) %"
    }
}
