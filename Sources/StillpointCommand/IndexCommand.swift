// The arguments of `stillpoint index`, and the order of what it does.
import ArgumentParser
import Stillpoint

struct IndexCommand: ParsableCommand {
    static let threadLimit = 256

    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Index text files with several threads into one shared graph of objects.",
        discussion: """
            Indexes the UTF-8 text files under each PATH twice, first with one thread, then with N \
            threads, each time into a runtime of its own: a document and the words in it refer to \
            each other, and one dictionary holds all words. The files are read once before anything \
            is timed, so that both runs find them in the system's cache. Then answers the query, drops the \
            documents of the later half by path order, collects the cycles they leave, drops the \
            rest, collects again, and reports what was counted and timed on the way.

            Without a PATH: this folder, then /usr/share/doc, /usr/include and the Swift \
            toolchain's headers, as far as they are present, up to 200 MB of text or 20 seconds of \
            the one-thread run; as much at most is read before.

            Folders are walked whole; symbolic links are followed, and each file counts once. \
            Names that begin with a dot are passed over unless given as a PATH. A file that grows is \
            read up to the size that it had when it was found. A word is a longest \
            run of letters, marks and numbers; ASCII letters are lower-cased; of words over 64 \
            bytes the first 64 count.

            While an index grows nearly all of it is in use, so a collection becomes due by itself \
            only after 1 GiB was allocated, or what STILLPOINT_COLLECTION_BYTES says.

            \(CommandFailure.exitCodes)
            """)

    @Argument(help: ArgumentHelp("A file, or a folder with all that is below it.", valueName: "path"))
    var paths: [String] = []

    @Option(
        parsing: .unconditional,
        help: """
            Threads of the second run: 1 to 256 (default: STILLPOINT_THREADS, or else the processors \
            this process may use).
            """)
    var threads: Int?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Find the documents that hold all of these words (default: the two words that most "
                + "documents hold). Write -- before a PATH that follows.",
            valueName: "word"))
    var query: [String] = []

    @Option(parsing: .unconditional, help: "How many of the documents found are shown.")
    var top: Int = 5

    @Flag(help: "Report as one JSON object.")
    var json = false

    func validate() throws {
        if let error = EnvironmentOptions.errors().first { throw ValidationError(error.description) }
        if let threads, !(1...Self.threadLimit).contains(threads) {
            throw ValidationError("--threads is a number from 1 to \(Self.threadLimit), not \(threads)")
        }
        if threads == nil { try Self.checkThreadsVariable() }
        if top < 1 { throw ValidationError("--top is a number from 1 up, not \(top)") }
        for text in query where QueryWords(text).words.isEmpty {
            throw ValidationError("--query: there is no word in '\(text)'")
        }
        if paths.isEmpty, let path = query.first(where: { BytePath($0).exists }) {
            throw ValidationError(
                "--query takes all that follows, and '\(path)' is a file or folder: "
                    + "write a PATH before --query, or -- before the PATH")
        }
    }

    private static func checkThreadsVariable() throws {
        let count = try EnvironmentOptions.threads.value()
        let isGiven = EnvironmentOptions.threads.defaultValue != count
        if isGiven && count > threadLimit {
            throw ValidationError(
                "\(EnvironmentOptions.threads.name) is a number from 1 to \(threadLimit) here, "
                    + "not \(count)")
        }
    }

    /// What is passed over though somebody may have meant it: a line each on standard error.
    private func warn() {
        let unknown = EnvironmentOptions.unknownVariables().map(\.description)
        if !unknown.isEmpty { Command.warn("warning: " + unknown.joined(separator: "; ")) }
        if paths.isEmpty && DefaultInput.isHereDeleted {
            Command.warn("warning: this folder has been deleted; it is passed over")
        }
    }

    func run() throws {
        warn()
        let session = IndexSession(
            paths: paths.isEmpty ? DefaultInput.roots() : paths.map { BytePath($0) },
            threadCount: try threads ?? min(EnvironmentOptions.threads.value(), Self.threadLimit),
            query: QueryWords(query).words, top: top,
            limit: paths.isEmpty ? DefaultInput.limit : nil, progress: ProgressLine())
        let report = try Self.run(session)
        try StandardStream.output.deliver(
            json ? try JSONReport.render(report) : TextReport.render(report))
        if let failure = SessionChecks.failure(in: report.checks) { throw failure }
    }

    /// Errors of the runtime are defects of this program, or a lack of memory.
    private static func run(_ session: IndexSession) throws(CommandFailure) -> IndexReport {
        do {
            return try session.run()
        } catch {
            session.progress.clear()
            if case .option(let option)? = error as? RuntimeError { throw .usage("\(option)") }
            throw error as? CommandFailure ?? .internal("\(error)")
        }
    }
}
