// One line on a terminal that says how far the work is, written over itself ten times a second by
// whichever thread comes by; nothing at all when standard error or standard output is no terminal.
import Foundation
import Synchronization

final class ProgressLine: Sendable {
    private static let intervalNanoseconds: UInt64 = 100_000_000

    private let isShown: Bool
    private let write: @Sendable (String) -> Void
    /// atomic; relaxed: no thread concludes anything from it but whether to write.
    private let nextNanoseconds = Atomic<UInt64>(0)

    init(
        isShown: Bool = ProgressLine.isSeen(),
        write: @escaping @Sendable (String) -> Void = StandardStream.error.write
    ) {
        self.isShown = isShown
        self.write = write
    }

    /// Whether somebody watches: both streams are terminals.
    static func isSeen(isTerminal: (CInt) -> Bool = { isatty($0) != 0 }) -> Bool {
        isTerminal(STDOUT_FILENO) && isTerminal(STDERR_FILENO)
    }

    /// Writes the line when the last one is a tenth of a second old. It may block as a terminal does:
    /// call it detached.
    func update(_ text: () -> String) {
        guard isShown else { return }
        let now = Stopwatch.nanoseconds()
        let next = nextNanoseconds.load(ordering: .relaxed)
        guard now >= next else { return }
        let (isOurs, _) = nextNanoseconds.compareExchange(
            expected: next, desired: now + Self.intervalNanoseconds, ordering: .relaxed)
        if isOurs { write("\r\u{1B}[K" + text()) }
    }

    /// Writes the line at once.
    func say(_ text: String) {
        if isShown { write("\r\u{1B}[K" + text) }
    }

    /// Takes the line away.
    func clear() {
        if isShown { write("\r\u{1B}[K") }
    }
}
