// What a soak run writes: lines for people on standard output, and the same as JSON, a line a minute, into a file.

import Foundation

struct SoakMinute: Codable {
    let kind: String
    let atSeconds: Double
    let operationsASecond: Double
    let stops: Int
    let pauses: UInt64
    let worstP99PauseNanoseconds: UInt64
    let longestPauseNanoseconds: UInt64
    let sample: SoakSample
}

struct SoakVerdict: Codable {
    let kind: String
    let seed: UInt64
    let seconds: Double
    let sampleCount: Int
    let gauges: [String: GrowthVerdict]
    let grown: [String]
}

/// Writes each line as it comes: a run that dies leaves what it had.
final class SoakReportFile {
    private let handle: FileHandle
    private let encoder = JSONEncoder()

    /// - Parameter path: a file, which is overwritten, or a folder, in which one is made.
    init(path: String, seed: UInt64) throws {
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let file = isThere && isFolder.boolValue
            ? URL(filePath: path).appending(path: "soak-\(seed).jsonl") : URL(filePath: path)
        try Data().write(to: file)
        handle = try FileHandle(forWritingTo: file)
        encoder.outputFormatting = [.sortedKeys]
    }

    func write(_ value: some Encodable) throws {
        try handle.write(contentsOf: try encoder.encode(value) + Data("\n".utf8))
    }
}

extension SoakMinute {
    static let header = "   time  operations/s    stops  longest us  resident MiB  heap MiB  objects  threads"
        + "  interpreters"

    var text: String {
        let cells: [(String, Int)] = [
            (String(format: "%d:%02d", Int(atSeconds) / 60, Int(atSeconds) % 60), 7),
            ("\(Int(operationsASecond))", 12), ("\(stops)", 7), ("\(longestPauseNanoseconds / 1_000)", 10),
            ("\(sample.residentBytes >> 20)", 12), ("\(sample.live.heapCommittedBytes >> 20)", 8),
            ("\(sample.live.objects)", 7), ("\(sample.systemThreads)", 7), ("\(sample.live.interpreters)", 12),
        ]
        return cells.map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }.joined(separator: "  ")
    }
}
