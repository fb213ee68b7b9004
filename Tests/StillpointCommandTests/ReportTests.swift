import Foundation
import Testing

@testable import StillpointCommand

@Suite struct ReportTests {
    @Test func `numbers are grouped by thousands`() {
        #expect([0, 12, 999, 1000, 12345, 1_234_567, -1000].map { Figures.count($0) }
            == ["0", "12", "999", "1,000", "12,345", "1,234,567", "-1,000"])
        #expect(Figures.count(1, "file") == "1 file")
        #expect(Figures.count(2, "entry", "entries") == "2 entries")
    }

    @Test func `durations are given in the unit that fits`() {
        #expect([950, 12_345, 999_000, 1_500_000, 2_000_000_000].map { Figures.duration($0) }
            == ["0.95 us", "12.3 us", "999.0 us", "1.50 ms", "2.000 s"])
    }

    @Test func `every key of the JSON report is there`() throws {
        let folder = TemporaryFolder()
        folder.write("file", "word")
        let report = try #require(
            try BuiltProgram.run(["index", folder.path.text, "--json"]).json)
        #expect(Set(report.keys) == [
            "version", "paths", "input", "runs", "speedUp", "query", "halfDropped", "allDropped",
            "pauses", "timeToSafepoint", "memory", "checks",
        ])
        let pauses = try #require(report["pauses"] as? [String: Any])
        let count = try #require(pauses["count"] as? Int)
        #expect(count > 0)
        #expect((pauses["nanoseconds"] as? [Int])?.count == (count < 20 ? count : nil))
        let memory = try #require(report["memory"] as? [String: Any])
        for key in ["startBytes", "peakBytes", "indexedBytes", "halfDroppedBytes", "finalBytes"] {
            #expect((memory[key] as? Int ?? 0) > 0)
        }
    }
}
