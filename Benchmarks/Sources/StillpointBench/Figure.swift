// How figures are written: three significant digits, and a unit that fits.

import Foundation

enum Figure {
    /// 0.123, 1.23, 12.3, 123, 1234.
    static func plain(_ figure: Double) -> String {
        let size = abs(figure)
        let digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4
        let text = String(format: "%.\(digits)f", figure)
        guard text.contains(".") else { return text }
        let cut = text.reversed().drop { $0 == "0" }
        return String((cut.first == "." ? cut.dropFirst() : cut).reversed())
    }

    /// The figure that `plain` writes.
    static func rounded(_ figure: Double) -> Double { Double(plain(figure)) ?? figure }

    static func duration(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<1e3: plain(nanoseconds) + " ns"
        case ..<1e6: plain(nanoseconds / 1e3) + " µs"
        case ..<1e9: plain(nanoseconds / 1e6) + " ms"
        default: plain(nanoseconds / 1e9) + " s"
        }
    }

    static func scaled(_ figure: Double) -> String {
        switch figure {
        case ..<1e4: plain(figure)
        case ..<1e6: plain(figure / 1e3) + " k"
        case ..<1e9: plain(figure / 1e6) + " M"
        default: plain(figure / 1e9) + " G"
        }
    }

    static func percent(_ share: Double) -> String { plain(share * 100) + " %" }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
