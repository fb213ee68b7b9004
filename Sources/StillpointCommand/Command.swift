// The command-line tool. What it prints is one report on standard output, or one line on standard
// error and an exit code of its kind.
import ArgumentParser
import Foundation

@main
struct Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stillpoint",
        abstract: "A free-threaded managed runtime, at work.",
        discussion: CommandFailure.exitCodes,
        version: "0.1.0",
        subcommands: [IndexCommand.self])

    static func main() {
        do {
            try StandardStream.output.checkOpen()
            var command = try parseAsRoot()
            leaveOnInterrupt()
            try command.run()
        } catch let failure as CommandFailure {
            leave(failure.line, failure.exitCode)
        } catch {
            guard exitCode(for: error) != .success else {
                return tell(fullMessage(for: error) + "\n")
            }
            // The parser may break its message into lines.
            let text = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
            leave(text + " (see stillpoint index --help)", 64)
        }
    }

    /// Help, or the version.
    private static func tell(_ text: String) {
        do throws(CommandFailure) {
            try StandardStream.output.deliver(text)
        } catch { leave(error.line, error.exitCode) }
    }

    /// One line on standard error.
    static func warn(_ text: String) {
        StandardStream.error.write("stillpoint: \(text.withoutControlCharacters)\n")
    }

    private static func leave(_ text: String, _ exitCode: CInt) -> Never {
        warn(text)
        Foundation.exit(exitCode)
    }
}

/// Nothing of ours outlives the process, so an interrupt ends it where it stands.
private func leaveOnInterrupt() {
    signal(SIGINT) { _ in
        if ProgressLine.isSeen() { write(STDERR_FILENO, "\r\u{1B}[K", 4) }
        _exit(130)
    }
}
