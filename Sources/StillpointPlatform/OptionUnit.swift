// Numbers with a unit, as people write them in the environment: 64K, 2G, 150ms. One grammar for
// reading and writing:
//
//   number   digit {digit} unit?      ASCII digits; the unit in capital or small letters
//
// No sign, no point, no exponent, no separator: what is not a number by this grammar, or is past
// UInt64, is none.

/// A unit behind a number.
struct OptionUnit: Sendable {
    let name: String
    let scale: UInt64

    /// Of counts: powers of 1,000.
    static let counts = [
        OptionUnit(name: "G", scale: 1_000_000_000), OptionUnit(name: "M", scale: 1_000_000),
        OptionUnit(name: "K", scale: 1_000),
    ]
    /// Of bytes: powers of 1,024.
    static let byteCounts = [
        OptionUnit(name: "G", scale: 1 << 30), OptionUnit(name: "M", scale: 1 << 20),
        OptionUnit(name: "K", scale: 1 << 10),
    ]
    /// Of durations: the result is in nanoseconds.
    static let durations = [
        OptionUnit(name: "s", scale: 1_000_000_000), OptionUnit(name: "ms", scale: 1_000_000),
        OptionUnit(name: "us", scale: 1_000), OptionUnit(name: "ns", scale: 1),
    ]

    /// The number that `text` writes with one of `units`, or without a unit where `isUnitRequired`
    /// is false. Zero never needs one.
    static func number(
        _ text: String, units: [OptionUnit], isUnitRequired: Bool = false
    ) -> UInt64? {
        let digits = text.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty, let number = UInt64(Substring(digits)) else { return nil }
        let suffix = text[digits.endIndex...]
        if suffix.isEmpty { return isUnitRequired && number != 0 ? nil : number }
        guard let unit = units.first(where: { $0.name.lowercased() == suffix.lowercased() }) else {
            return nil
        }
        let (value, isTooLarge) = number.multipliedReportingOverflow(by: unit.scale)
        return isTooLarge ? nil : value
    }

    /// `value` as `number` reads it, with the largest unit that divides it.
    static func text(_ value: UInt64, units: [OptionUnit]) -> String {
        guard value != 0, let unit = units.first(where: { value.isMultiple(of: $0.scale) }) else {
            return String(value)
        }
        return "\(value / unit.scale)\(unit.name)"
    }
}
