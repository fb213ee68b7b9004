// Why the command ends without a report: one line for people, one exit code for scripts.
import Foundation

enum CommandFailure: Error, Equatable {
    /// The arguments contradict the documentation.
    case usage(String)
    /// The input was read and holds no text.
    case data(String)
    /// There is nothing to read: a path is missing, or a folder is empty.
    case noInput(String)
    /// The report could not be written.
    case output(String)
    /// A self-check failed, or the runtime reported an error: a defect of this program, or no memory.
    case `internal`(String)

    var exitCode: CInt {
        switch self {
        case .usage: 64
        case .data: 65
        case .noInput: 66
        case .internal: 70
        case .output: 74
        }
    }

    /// One line, without the program's name.
    var line: String {
        switch self {
        case .usage(let text), .data(let text), .noInput(let text), .output(let text): text
        case .internal(let text): "internal: " + text
        }
    }

    static let exitCodes = """
        EXIT CODES:
          0    done; files that could not be indexed are counted and named in the report
          64   usage: an option, a value or a STILLPOINT_ variable that is not understood
          65   data: files were found, and none of them is readable UTF-8 text
          66   no input: a path that does not exist, or only empty or unreadable folders
          70   internal: a self-check failed, or memory ran out
          74   output: standard output is closed or full, or fails; a reader who leaves is no failure
          130  interrupted
        """
}
