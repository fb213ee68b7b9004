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
            var command = try parseAsRoot()
            leaveOnInterrupt()
            try command.run()
        } catch let failure as CommandFailure {
            leave(failure.line, failure.exitCode)
        } catch {
            guard exitCode(for: error) != .success else {
                StandardStream.output.write(fullMessage(for: error) + "\n")
                return
            }
            leave(message(for: error) + " (see stillpoint index --help)", 64)
        }
    }

    private static func leave(_ text: String, _ exitCode: CInt) -> Never {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        StandardStream.error.write("stillpoint: \(line)\n")
        Foundation.exit(exitCode)
    }
}

/// Nothing of ours outlives the process, so an interrupt ends it where it stands.
private func leaveOnInterrupt() {
    signal(SIGINT) { _ in
        if isatty(STDERR_FILENO) != 0 { write(STDERR_FILENO, "\r\u{1B}[K", 4) }
        _exit(130)
    }
}
