// Numbers for people: thousands apart, times in a unit that fits.
import Foundation

enum Figures {
    static func count(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// "1 file", "2 files".
    static func count(_ value: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count(value)) \(value == 1 ? one : many ?? one + "s")"
    }

    static func megabytes(_ byteCount: Int) -> String {
        String(format: "%.1f MB", Double(byteCount) / 1e6)
    }

    static func duration(_ nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        return switch nanoseconds {
        case ..<10_000: String(format: "%.2f us", value / 1e3)
        case ..<1_000_000: String(format: "%.1f us", value / 1e3)
        case ..<1_000_000_000: String(format: "%.2f ms", value / 1e6)
        default: String(format: "%.3f s", value / 1e9)
        }
    }
}
