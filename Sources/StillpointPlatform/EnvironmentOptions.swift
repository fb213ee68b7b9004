// The table of all options: what the runtime reads from the environment, in one place, so that
// `--help` can list them, a start can check them all before anything is made, and a misspelled
// variable is noticed. A new option is a constant here and an entry in `rows`.

/// How the threads of an interpreter run, when whoever makes it does not say.
public enum InterpreterLockChoice: String, CaseIterable, Sendable {
    /// Free threading: all at once.
    case none
    /// One at a time.
    case own
    /// One at a time among all interpreters that share the lock.
    case shared
}

/// A `STILLPOINT_` variable that no option has.
public struct UnknownOption: Equatable, Sendable, CustomStringConvertible {
    public let variable: String
    /// The option that was meant, if one is spelled much like it.
    public let likelyName: String?

    public var description: String {
        "\(variable): no such option" + (likelyName.map { "; did you mean \($0)?" } ?? "")
    }
}

/// Every option that is read from the environment.
public enum EnvironmentOptions {
    public static let threads = EnvironmentOption.count(
        "STILLPOINT_THREADS", default: min(Processors.usableCount, 4096), in: 1...4096,
        defaultText: "the processors that the process can use",
        help: "Threads that work at the same time.")

    public static let interpreterLock = EnvironmentOption<InterpreterLockChoice>.choice(
        "STILLPOINT_INTERPRETER_LOCK", default: .none,
        help: "The lock that the threads of an interpreter take turns on.")

    public static let collectionBytes = EnvironmentOption.byteCount(
        "STILLPOINT_COLLECTION_BYTES", default: 64 << 20, in: 4096...(1 << 40),
        help: "Bytes allocated since the last collection from which on one becomes due.")

    public static let collect = EnvironmentOption.boolean(
        "STILLPOINT_COLLECT", default: true,
        help: "Whether collections become due by themselves.")

    public static let verifyCollections = EnvironmentOption.boolean(
        "STILLPOINT_VERIFY_COLLECTIONS", default: false,
        help: "Whether a slow oracle checks every collection.")

    public static let stopRescan = EnvironmentOption.boolean(
        "STILLPOINT_STOP_RESCAN", default: false,
        help: "Whether a stopper looks for detached threads every 1 ms instead of being told.")

    /// All options, in the order of the help text.
    public static let rows: [OptionRow] = [
        threads.row, interpreterLock.row, collectionBytes.row, collect.row, verifyCollections.row,
        stopRescan.row,
    ]

    /// What is wrong with the variables that are set, option by option.
    public static func errors(
        in environment: (String) -> String? = ProcessEnvironment.value
    ) -> [OptionError] {
        rows.compactMap { $0.error(in: environment) }
    }

    /// The variables among `names` that look like ours and are not: misspelled, as a rule.
    public static func unknownVariables(
        among names: [String] = ProcessEnvironment.names()
    ) -> [UnknownOption] {
        let known = rows.map(\.name)
        let unknown = names.filter {
            $0.hasPrefix(ProcessEnvironment.prefix) && !known.contains($0)
        }
        return unknown.map { name in
            let near = known.map { (name: $0, distance: editDistance(Array($0.utf8), Array(name.utf8))) }
                .filter { $0.distance <= 3 }
            return UnknownOption(
                variable: name, likelyName: near.min { $0.distance < $1.distance }?.name)
        }
    }

    /// The section of a help text that lists all options: name, help, what is expected, default.
    public static var help: String {
        rows.map { row in
            """
              \(row.name)
                  \(row.help)
                  Expects \(row.kind.expectation).
                  Default: \(row.defaultText).
            """
        }.joined(separator: "\n")
    }

    /// How many characters must be inserted, removed or exchanged to make `right` of `left`.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (line, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in 1..<row.count {
                let changed = diagonal + (letter == right[column - 1] ? 0 : 1)
                diagonal = row[column]
                row[column] = min(changed, row[column] + 1, row[column - 1] + 1)
            }
        }
        return row[right.count]
    }
}
