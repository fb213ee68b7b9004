// What is said when a program forgets to end something. It goes to standard error, a line each; the memory is leaked,
// since somebody may use it.

internal import Glibc

enum Diagnosis {
    static func report(_ text: String) {
        var line = "stillpoint: \(text)\n"
        line.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
