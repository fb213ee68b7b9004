// Programs that tests run.

import Foundation

enum Command {
    struct Result {
        let status: Int32
        /// Standard output and standard error, as they came.
        let output: String
    }

    /// Runs `program` of PATH to its end.
    static func run(_ program: String, _ arguments: [String], in folder: URL? = nil) throws -> Result {
        let log = FileManager.default.temporaryDirectory.appending(path: "stillpoint-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: log) }
        let handle = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        if let folder { process.currentDirectoryURL = folder }
        try process.run()
        process.waitUntilExit()
        try handle.close()
        let output = try String(decoding: Data(contentsOf: log), as: UTF8.self)
        return Result(status: process.terminationStatus, output: output)
    }
}
