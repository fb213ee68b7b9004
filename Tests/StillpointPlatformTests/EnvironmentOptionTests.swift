import Glibc
import Testing

@testable import StillpointPlatform

@Suite struct OptionUnitTests {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("007", 7), ("1K", 1000), ("1k", 1000), ("2M", 2_000_000), ("3g", 3_000_000_000),
        ("18446744073709551615", .max), ("18446744073709551616", nil), ("99999999999999999999G", nil),
        ("18446744073709551615K", nil), ("18446744073709551K", 18446744073709551000), ("", nil), ("K", nil),
        ("-1", nil), ("+1", nil), ("1 K", nil), (" 1", nil), ("1KB", nil), ("1KK", nil), ("1T", nil),
        ("1.5K", nil), ("1e3", nil), ("0x10", nil), ("1_000", nil), ("1,000", nil), ("١", nil), ("１", nil),
        ("1\u{301}", nil), ("abc", nil),
    ] as [(String, UInt64?)])
    func `counts have suffixes of powers of 1,000`(text: String, expected: UInt64?) {
        #expect(OptionUnit.number(text, units: OptionUnit.counts) == expected)
    }

    @Test(arguments: [
        ("1", 1), ("64K", 64 << 10), ("64k", 64 << 10), ("1M", 1 << 20), ("16g", 16 << 30),
        ("17179869183G", 17_179_869_183 << 30), ("17179869184G", nil), ("1B", nil), ("1KiB", nil),
    ] as [(String, UInt64?)])
    func `bytes have suffixes of powers of 1,024`(text: String, expected: UInt64?) {
        #expect(OptionUnit.number(text, units: OptionUnit.byteCounts) == expected)
    }

    @Test(arguments: [
        ("0", 0), ("0s", 0), ("000", 0), ("1", nil), ("1ns", 1), ("1us", 1000), ("10ms", 10_000_000),
        ("1MS", 1_000_000), ("2s", 2_000_000_000), ("2S", 2_000_000_000), ("18446744073s", 18446744073_000_000_000),
        ("18446744074s", nil), ("1m", nil), ("1min", nil), ("1.5s", nil), ("-1s", nil), ("1 s", nil), ("s", nil),
        ("1µs", nil), ("1sns", nil),
    ] as [(String, UInt64?)])
    func `durations need a unit unless they are zero`(text: String, expected: UInt64?) {
        #expect(OptionUnit.number(text, units: OptionUnit.durations, isUnitRequired: true) == expected)
    }

    @Test func `what is written is read as the same number`() {
        let numbers: [UInt64] = [0, 1, 999, 1000, 1023, 1024, 1536, 10_000, 1 << 20, 1_000_000, 3 << 30, .max, .max - 615]
        for number in numbers {
            for units in [OptionUnit.counts, OptionUnit.byteCounts] {
                #expect(OptionUnit.number(OptionUnit.text(number, units: units), units: units) == number)
            }
            let duration = OptionUnit.text(number, units: OptionUnit.durations)
            #expect(OptionUnit.number(duration, units: OptionUnit.durations, isUnitRequired: true) == number)
        }
        #expect(OptionUnit.text(4096, units: OptionUnit.counts) == "4096")
        #expect(OptionUnit.text(4096, units: OptionUnit.byteCounts) == "4K")
        #expect(OptionUnit.text(1_500_000, units: OptionUnit.durations) == "1500us")
    }
}

@Suite struct EnvironmentOptionTests {
    private enum Colour: String, CaseIterable { case red, green, darkBlue }

    private static let count = EnvironmentOption.count("STILLPOINT_N", default: 7, in: 1...4096, help: "N.")
    private static let bytes = EnvironmentOption.byteCount(
        "STILLPOINT_B", default: 1 << 20, in: 4096...(1 << 30), help: "B.")
    private static let time = EnvironmentOption.duration(
        "STILLPOINT_T", defaultNanoseconds: 1_000_000, in: 0...60_000_000_000, help: "T.")
    private static let flag = EnvironmentOption.boolean("STILLPOINT_F", default: true, help: "F.")
    private static let colour = EnvironmentOption<Colour>.choice("STILLPOINT_C", default: .green, help: "C.")

    private static func sentence<Value>(_ option: EnvironmentOption<Value>, _ given: String) -> String? {
        do throws(OptionError) {
            _ = try option.value(in: { $0 == option.name ? given : nil })
            #expect(option.row.error(in: { _ in given }) == nil)
            return nil
        } catch {
            #expect(option.row.error(in: { _ in given }) == error)
            return error.description
        }
    }

    @Test(arguments: [nil, "", " ", "\t \r\n"] as [String?])
    func `an option that is unset, empty or blank has its default`(given: String?) throws {
        #expect(try Self.count.value(in: { _ in given }) == 7)
        #expect(try Self.bytes.value(in: { _ in given }) == 1 << 20)
        #expect(try Self.time.value(in: { _ in given }) == 1_000_000)
        #expect(try Self.flag.value(in: { _ in given }) == true)
        #expect(try Self.colour.value(in: { _ in given }) == .green)
        #expect(Self.count.row.error(in: { _ in given }) == nil)
    }

    @Test func `an option looks up its own name alone`() throws {
        #expect(try Self.count.value(in: { $0 == "STILLPOINT_N" ? "12" : "nonsense" }) == 12)
        #expect(try Self.count.value(in: { $0 == "STILLPOINT_N" ? nil : "nonsense" }) == 7)
    }

    @Test(arguments: [("1", 1), ("4096", 4096), ("4k", 4000), (" 12\t", 12), ("\n3\r\n", 3)])
    func `a count within its bounds is taken`(given: String, expected: Int) throws {
        #expect(try Self.count.value(in: { _ in given }) == expected)
    }

    @Test(arguments: ["abc", "0", "-1", "4097", "5K", "99999999999999999999G", "1 2", "1.0", "12x", "\"3\""])
    func `a count that does not parse or is out of bounds is a clear error`(given: String) {
        #expect(
            Self.sentence(Self.count, given)
                == "STILLPOINT_N=\"\(given == "\"3\"" ? "\\\"3\\\"" : given)\": "
                + "expected a whole number from 1 to 4096, with an optional suffix K, M or G")
    }

    @Test func `a size that does not parse or is out of bounds is a clear error`() throws {
        let expectation = "expected a number of bytes from 4K to 1G, with an optional suffix K, M or G (1,024)"
        for given in ["4095", "2G", "4KB", "-4096", "18446744073709551615", "9223372036854775808"] {
            #expect(Self.sentence(Self.bytes, given) == "STILLPOINT_B=\"\(given)\": \(expectation)")
        }
        #expect(try Self.bytes.value(in: { _ in "4096" }) == 4096)
        #expect(try Self.bytes.value(in: { _ in "1g" }) == 1 << 30)
    }

    @Test func `a duration that does not parse or is out of bounds is a clear error`() throws {
        let expectation = "expected a duration from 0 to 60s, as a whole number with ns, us, ms or s"
        for given in ["5", "61s", "1h", "60001ms", "-1ms"] {
            #expect(Self.sentence(Self.time, given) == "STILLPOINT_T=\"\(given)\": \(expectation)")
        }
        #expect(try Self.time.value(in: { _ in "0" }) == 0)
        #expect(try Self.time.value(in: { _ in "60S" }) == 60_000_000_000)
    }

    @Test func `a switch knows four words for each side`() throws {
        for given in ["1", "true", "yes", "on", "TRUE", "Yes", " on "] {
            #expect(try Self.flag.value(in: { _ in given }))
        }
        for given in ["0", "false", "no", "off", "OFF"] {
            #expect(try !Self.flag.value(in: { _ in given }))
        }
        #expect(
            Self.sentence(Self.flag, "2")
                == "STILLPOINT_F=\"2\": expected 1, true, yes or on; or 0, false, no or off")
    }

    @Test func `a choice is one of its words in capital or small letters`() throws {
        #expect(try Self.colour.value(in: { _ in "red" }) == .red)
        #expect(try Self.colour.value(in: { _ in "DARKBLUE" }) == .darkBlue)
        #expect(
            Self.sentence(Self.colour, "blue") == "STILLPOINT_C=\"blue\": expected red, green or darkBlue")
        #expect(OptionKind.choice(["one"]).expectation == "one")
        #expect(OptionKind.choice(["one", "two"]).expectation == "one or two")
    }

    @Test func `an error shows control characters escaped and a long value cut`() {
        let odd = OptionError(variable: "V", givenValue: "a\u{1b}[31m\n", expectation: "x")
        #expect(odd.description == "V=\"a\\u{1B}[31m\\n\": expected x")
        let long = OptionError(variable: "V", givenValue: String(repeating: "ä", count: 61), expectation: "x")
        #expect(long.description == "V=\"\(String(repeating: "ä", count: 60))…\": expected x")
    }

    @Test func `an option with a foreign name or a default out of bounds traps`() async {
        await #expect(processExitsWith: .failure) {
            _ = EnvironmentOption.boolean("HOME", default: true, help: "")
        }
        await #expect(processExitsWith: .failure) {
            _ = EnvironmentOption.count("STILLPOINT_N", default: 0, in: 1...2, help: "")
        }
        await #expect(processExitsWith: .failure) {
            _ = EnvironmentOption.byteCount("STILLPOINT_N", default: 3, in: 1...2, help: "")
        }
        await #expect(processExitsWith: .failure) {
            _ = EnvironmentOption.duration("STILLPOINT_N", defaultNanoseconds: 3, in: 1...2, help: "")
        }
    }
}

@Suite struct EnvironmentOptionsTests {
    @Test func `every option has a name of its own, help, and a default that it accepts`() {
        let rows = EnvironmentOptions.rows
        #expect(Set(rows.map(\.name)).count == rows.count)
        for row in rows {
            #expect(row.name.hasPrefix("STILLPOINT_") && row.name == row.name.uppercased())
            #expect(row.help.hasSuffix(".") && row.help.count > 10)
            #expect(row.accepts(row.defaultText) || row.name == EnvironmentOptions.threads.name)
            #expect(!row.accepts("nonsense"))
            #expect(!row.accepts("99999999999999999999G"))
            #expect(row.error(in: { _ in "nonsense" })?.variable == row.name)
            #expect(EnvironmentOptions.help.contains(row.name))
            #expect(EnvironmentOptions.help.contains(row.kind.expectation))
        }
    }

    @Test func `every bound of every option is accepted and what lies outside is not`() {
        for row in EnvironmentOptions.rows {
            switch row.kind {
            case .count(let bounds), .byteCount(let bounds):
                #expect(row.accepts(String(bounds.lowerBound)) && row.accepts(String(bounds.upperBound)))
                #expect(!row.accepts(String(bounds.lowerBound - 1)))
                #expect(!row.accepts(String(bounds.upperBound + 1)))
            case .duration(let bounds):
                #expect(row.accepts("\(bounds.lowerBound)ns") && row.accepts("\(bounds.upperBound)ns"))
                #expect(bounds.lowerBound == 0 || !row.accepts("\(bounds.lowerBound - 1)ns"))
                #expect(!row.accepts("\(bounds.upperBound + 1)ns"))
            case .choice(let words):
                #expect(words.allSatisfy(row.accepts))
            case .boolean:
                #expect(row.accepts("on") && row.accepts("off"))
            }
        }
    }

    @Test func `all errors are told, in the order of the table`() {
        #expect(EnvironmentOptions.errors(in: { _ in nil }).isEmpty)
        let variables = EnvironmentOptions.errors(in: { _ in "nonsense" }).map(\.variable)
        #expect(variables == EnvironmentOptions.rows.map(\.name))
        #expect(
            EnvironmentOptions.errors(in: { $0 == "STILLPOINT_THREADS" ? "abc" : nil }).map(\.description) == [
                "STILLPOINT_THREADS=\"abc\": expected a whole number from 1 to 4096, with an optional suffix K, M or G"
            ])
    }

    @Test func `an unknown variable is told, with the option that was meant`() {
        let unknown = EnvironmentOptions.unknownVariables(among: [
            "HOME", "STILLPOINT_", "STILLPOINT_THREADS", "STILLPOINT_THREDS", "STILLPOINT_SOMETHING_ELSE",
            "STILLPOINT_threads",
        ])
        #expect(
            unknown.map(\.description) == [
                "STILLPOINT_: no such option",
                "STILLPOINT_THREDS: no such option; did you mean STILLPOINT_THREADS?",
                "STILLPOINT_SOMETHING_ELSE: no such option",
                "STILLPOINT_threads: no such option",
            ])
        #expect(EnvironmentOptions.unknownVariables(among: EnvironmentOptions.rows.map(\.name)).isEmpty)
    }

    @Test func `the environment of the process is read`() async {
        // In a process of its own: changing the environment is not for a process with other threads.
        await #expect(processExitsWith: .success) {
            setenv("STILLPOINT_THREADS", "3", 1)
            setenv("STILLPOINT_ODD", "", 1)
            unsetenv("STILLPOINT_STOP_RESCAN")
            #expect(ProcessEnvironment.value(of: "STILLPOINT_ODD") == "")
            #expect(ProcessEnvironment.value(of: "STILLPOINT_STOP_RESCAN") == nil)
            #expect(ProcessEnvironment.names() == ["STILLPOINT_ODD", "STILLPOINT_THREADS"])
            let (threads, rescans) = try (EnvironmentOptions.threads.value(), EnvironmentOptions.stopRescan.value())
            #expect(threads == 3 && !rescans)
            #expect(EnvironmentOptions.errors().isEmpty)
            #expect(EnvironmentOptions.unknownVariables().map(\.variable) == ["STILLPOINT_ODD"])
            setenv("STILLPOINT_THREADS", "many", 1)
            #expect(throws: OptionError.self) { _ = try EnvironmentOptions.threads.value() }
            clearenv()
            #expect(ProcessEnvironment.names().isEmpty)
        }
    }
}
