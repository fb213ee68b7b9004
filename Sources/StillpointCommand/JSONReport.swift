// The report as one JSON object: the keys are the names in IndexReport.swift.
import Foundation

enum JSONReport {
    static func render(_ report: IndexReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
    }
}
