// What is measured of the process now and then, and which of it is judged.

import CStillpoint
import Foundation
import StillpointPlatform

/// One moment's figures.
struct SoakSample: Codable {
    var residentBytes = 0
    /// Private writable memory that the kernel has promised: VmData.
    var committedBytes = 0
    var systemThreads = 0
    var mappings = 0
    var openFiles = 0
    /// OS threads that liburcu knows.
    var readers = 0
    var live = LiveCounts()

    static func now(asking monitor: Monitor) throws -> SoakSample {
        var sample = SoakSample()
        sample.residentBytes = try ProcessMemory.residentByteCount()
        for line in try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, let number = Int(words[1]) else { continue }
            if words[0] == "VmData:" { sample.committedBytes = number * 1_024 }
            if words[0] == "Threads:" { sample.systemThreads = number }
        }
        sample.mappings = try Data(contentsOf: URL(filePath: "/proc/self/maps")).count { $0 == UInt8(ascii: "\n") }
        sample.openFiles = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        sample.readers = sp_rcu_reader_count()
        sample.live = monitor.liveCounts()
        return sample
    }
}

/// One figure that is judged.
struct Gauge {
    let name: String
    let value: (SoakSample) -> Double
    let allowance: GrowthAllowance
    let isMemory: Bool

    init(_ name: String, _ path: KeyPath<SoakSample, Int>, absolute: Double, part: Double, isMemory: Bool = false) {
        self.name = name
        value = { Double($0[keyPath: path]) }
        allowance = GrowthAllowance(absolute: absolute, part: part)
        self.isMemory = isMemory
    }

    /// A sanitizer's own memory (shadow, quarantine, history) grows with what it has seen, and is not ours to judge.
    var isJudged: Bool { !isMemory || sp_has_thread_sanitizer() == 0 && sp_has_address_sanitizer() == 0 }

    static var all: [Gauge] { [
        Gauge("resident bytes", \.residentBytes, absolute: 8_388_608, part: 0.1, isMemory: true),
        Gauge("committed bytes", \.committedBytes, absolute: 67_108_864, part: 0.1, isMemory: true),
        Gauge("committed bytes of the steady heap", \.live.heapCommittedBytes, absolute: 4_194_304, part: 0.1),
        Gauge("objects of the steady interpreter", \.live.objects, absolute: 2_000, part: 0.2),
        Gauge("system threads", \.systemThreads, absolute: 4, part: 0.2),
        Gauge("liburcu's readers", \.readers, absolute: 4, part: 0.2),
        Gauge("thread states", \.live.threadStates, absolute: 4, part: 0.2),
        Gauge("interpreters", \.live.interpreters, absolute: 3, part: 0.2),
        Gauge("mappings", \.mappings, absolute: 64, part: 0.2, isMemory: true),
        Gauge("open files", \.openFiles, absolute: 2, part: 0.2),
    ] }
}
