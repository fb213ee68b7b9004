// The program as it was built, beside the test that runs.
import Foundation

@testable import StillpointCommand

struct BuiltProgram {
    struct Ending {
        let exitCode: Int32
        let output: String
        let errors: String

        var errorLines: [Substring] { errors.split(separator: "\n") }

        /// The report of `--json`.
        var json: [String: Any]? {
            (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
        }
    }

    static let file: URL = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes {
            readlink("/proc/self/exe", $0.baseAddress!, $0.count)
        }
        let tests = URL(fileURLWithPath: String(decoding: buffer[..<max(0, count)], as: UTF8.self))
        return tests.deletingLastPathComponent().appendingPathComponent("stillpoint")
    }()

    /// What a shell makes of a command in which `$0` is the program, with this first argument.
    static func runShell(
        _ command: String, _ argument: BytePath, isEndedByALine: Bool = false
    ) throws -> (exitCode: Int32, errors: String) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command, file.path, argument.text]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let reading = errors.fileHandleForReading
        let text = isEndedByALine ? reading.availableData : try reading.readToEnd() ?? Data()
        if isEndedByALine { process.terminate() }
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], in folder: BytePath? = nil
    ) throws -> Ending {
        let process = Process()
        process.executableURL = file
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder.text) }
        let output = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let errors = output.appendingPathExtension("errors")
        defer {
            try? FileManager.default.removeItem(at: output)
            try? FileManager.default.removeItem(at: errors)
        }
        for file in [output, errors] {
            precondition(FileManager.default.createFile(atPath: file.path, contents: nil))
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        return Ending(
            exitCode: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
}
