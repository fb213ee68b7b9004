// Options from environment variables, typed: each is a row with a name, a kind, a default, bounds
// and a sentence of help (the rows: `EnvironmentOptions`). A value that does not parse is never
// guessed at: it is an error that names the variable, what was given, and what is expected.
//
// What counts as a value, for every kind: blanks at either end are ignored; an empty value counts
// as unset, so that `NAME= command` restores the default; capital and small letters are the same.

/// What the value of an option may be.
public enum OptionKind: Sendable, Equatable {
    /// 1, true, yes, on; 0, false, no, off.
    case boolean
    /// A whole number; K, M and G are powers of 1,000.
    case count(ClosedRange<Int>)
    /// A number of bytes; K, M and G are powers of 1,024.
    case byteCount(ClosedRange<Int>)
    /// A duration: a whole number with ns, us, ms or s. The bounds are nanoseconds.
    case duration(ClosedRange<UInt64>)
    /// One of these words.
    case choice([String])

    /// The second half of the sentence `expected …`.
    public var expectation: String {
        switch self {
        case .boolean:
            return "1, true, yes or on; or 0, false, no or off"
        case .count(let bounds):
            let (low, high) = (
                OptionUnit.text(UInt64(bounds.lowerBound), units: OptionUnit.counts),
                OptionUnit.text(UInt64(bounds.upperBound), units: OptionUnit.counts))
            return "a whole number from \(low) to \(high), with an optional suffix K, M or G"
        case .byteCount(let bounds):
            let (low, high) = (
                OptionUnit.text(UInt64(bounds.lowerBound), units: OptionUnit.byteCounts),
                OptionUnit.text(UInt64(bounds.upperBound), units: OptionUnit.byteCounts))
            return "a number of bytes from \(low) to \(high), with an optional suffix K, M or G (1,024)"
        case .duration(let bounds):
            let (low, high) = (
                OptionUnit.text(bounds.lowerBound, units: OptionUnit.durations),
                OptionUnit.text(bounds.upperBound, units: OptionUnit.durations))
            return "a duration from \(low) to \(high), as a whole number with ns, us, ms or s"
        case .choice(let words):
            return words.count < 2
                ? words.joined()
                : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
        }
    }
}

/// The value of an environment variable is not what its option expects.
public struct OptionError: Error, Equatable, CustomStringConvertible, Sendable {
    public let variable: String
    /// The value as it was found.
    public let givenValue: String
    /// The second half of the sentence `expected …`.
    public let expectation: String

    /// One line: `STILLPOINT_THREADS="abc": expected a whole number from 1 to 4096, …`. Control
    /// characters are escaped, and a long value is cut.
    public var description: String {
        var shown = ""
        for scalar in givenValue.unicodeScalars.prefix(60) { shown += scalar.escaped(asASCII: false) }
        if givenValue.unicodeScalars.count > 60 { shown += "…" }
        return "\(variable)=\"\(shown)\": expected \(expectation)"
    }
}

/// What is known of an option whatever its type: a row of the help text.
public struct OptionRow: Sendable {
    /// The environment variable.
    public let name: String
    public let kind: OptionKind
    /// The default as it would be written.
    public let defaultText: String
    /// One sentence.
    public let help: String
    /// Whether a value that is set, without blanks around it, parses.
    let accepts: @Sendable (String) -> Bool

    /// What is wrong with the variable in `environment`; `nil` if it is unset or parses.
    public func error(in environment: (String) -> String?) -> OptionError? {
        guard let (given, text) = givenValue(in: environment), !accepts(text) else { return nil }
        return OptionError(variable: name, givenValue: given, expectation: kind.expectation)
    }

    /// The value as found and without blanks around it; `nil` if it is unset or empty.
    func givenValue(in environment: (String) -> String?) -> (given: String, text: String)? {
        guard let given = environment(name) else { return nil }
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        var text = given[...]
        while let last = text.last, blanks.contains(last) { text.removeLast() }
        text = text.drop(while: blanks.contains)
        return text.isEmpty ? nil : (given, String(text))
    }
}

/// An option that is set by an environment variable and has values of type `Value`.
public struct EnvironmentOption<Value: Sendable>: Sendable {
    public let row: OptionRow
    public let defaultValue: Value
    private let parse: @Sendable (String) -> Value?

    /// The environment variable.
    public var name: String { row.name }

    /// The value that `environment` gives to the option, or the default if it is unset there.
    /// Throws what is wrong with it.
    public func value(
        in environment: (String) -> String? = ProcessEnvironment.value
    ) throws(OptionError) -> Value {
        guard let (given, text) = row.givenValue(in: environment) else { return defaultValue }
        guard let value = parse(text) else {
            throw OptionError(variable: name, givenValue: given, expectation: row.kind.expectation)
        }
        return value
    }

    private init(
        _ name: String, _ kind: OptionKind, default value: Value, _ defaultText: String, help: String,
        parse: @escaping @Sendable (String) -> Value?
    ) {
        require(name.hasPrefix(ProcessEnvironment.prefix), "a foreign environment variable")
        self.row = OptionRow(
            name: name, kind: kind, defaultText: defaultText, help: help,
            accepts: { parse($0) != nil })
        self.defaultValue = value
        self.parse = parse
    }
}

// MARK: The kinds

extension EnvironmentOption {
    /// An option that is on or off.
    public static func boolean(_ name: String, default value: Bool, help: String) -> Self
    where Value == Bool {
        Self(name, .boolean, default: value, value ? "on" : "off", help: help) { text in
            switch text.lowercased() {
            case "1", "true", "yes", "on": true
            case "0", "false", "no", "off": false
            default: nil
            }
        }
    }

    /// A whole number of things. `defaultText` serves where the default differs from machine to
    /// machine.
    public static func count(
        _ name: String, default value: Int, in bounds: ClosedRange<Int>, defaultText: String? = nil,
        help: String
    ) -> Self where Value == Int {
        require(bounds.contains(value) && bounds.lowerBound >= 0, "the default is out of bounds")
        let text = defaultText ?? OptionUnit.text(UInt64(value), units: OptionUnit.counts)
        return Self(name, .count(bounds), default: value, text, help: help) {
            within(bounds, OptionUnit.number($0, units: OptionUnit.counts))
        }
    }

    /// A size in bytes.
    public static func byteCount(
        _ name: String, default value: Int, in bounds: ClosedRange<Int>, help: String
    ) -> Self where Value == Int {
        require(bounds.contains(value) && bounds.lowerBound >= 0, "the default is out of bounds")
        let text = OptionUnit.text(UInt64(value), units: OptionUnit.byteCounts)
        return Self(name, .byteCount(bounds), default: value, text, help: help) {
            within(bounds, OptionUnit.number($0, units: OptionUnit.byteCounts))
        }
    }

    /// A duration in nanoseconds.
    public static func duration(
        _ name: String, defaultNanoseconds value: UInt64, in bounds: ClosedRange<UInt64>, help: String
    ) -> Self where Value == UInt64 {
        require(bounds.contains(value), "the default is out of bounds")
        let text = OptionUnit.text(value, units: OptionUnit.durations)
        return Self(name, .duration(bounds), default: value, text, help: help) {
            within(
                bounds, OptionUnit.number($0, units: OptionUnit.durations, isUnitRequired: true))
        }
    }

    /// One of the cases of an enumeration, by its raw value.
    public static func choice(_ name: String, default value: Value, help: String) -> Self
    where Value: CaseIterable & RawRepresentable<String> {
        let words = Value.allCases.map(\.rawValue)
        return Self(name, .choice(words), default: value, value.rawValue, help: help) { text in
            Value.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
        }
    }
}

private func within<Number: FixedWidthInteger>(
    _ bounds: ClosedRange<Number>, _ number: UInt64?
) -> Number? {
    number.flatMap { Number(exactly: $0) }.flatMap { bounds.contains($0) ? $0 : nil }
}
