// One row of the litmus table: a program of the literature with its orderings, all the outcomes that it must have,
// and so those that it must not. Read results stand in the order of the text; what is left in the locations stands
// after a bar.

@testable import StillpointModel
import Testing

struct LitmusTest: Sendable, CustomTestStringConvertible {
    var name: String
    var variant: String
    var program: LitmusProgram
    /// What must be found: all of it, or, where that is much, what the test is about.
    var found: Set<String>
    var isWhole = true
    /// What must not be found and what the test is about.
    var forbidden: [String]
    /// Why, where it is not obvious.
    var reason: String

    var testDescription: String { "\(name), \(variant)" }

    /// All outcomes are allowed but these. Each result is one of its `domains`.
    init(
        _ name: String, _ variant: String, _ threads: [LitmusOperation]..., finals: [Int] = [],
        domains: [ClosedRange<UInt64>], forbidden: String = "", reason: String = ""
    ) {
        self.name = name
        self.variant = variant
        self.reason = reason
        program = LitmusProgram(threads: threads, finals: finals)
        self.forbidden = forbidden.split(separator: " ").map(String.init)
        var all = [""]
        for (index, domain) in domains.enumerated() {
            let bar = index == program.resultCount ? "|" : ""
            all = all.flatMap { outcome in domain.map { outcome + bar + String($0) } }
        }
        let missing = self.forbidden.filter { !all.contains($0) }
        precondition(missing.isEmpty, "\(name), \(variant): no outcomes: \(missing)")
        found = Set(all).subtracting(self.forbidden)
    }

    /// Just these outcomes, or these among others.
    init(
        _ name: String, _ variant: String, _ threads: [LitmusOperation]..., finals: [Int] = [],
        found: String, isWhole: Bool = true, forbidden: String = "", reason: String = ""
    ) {
        self.isWhole = isWhole
        self.name = name
        self.variant = variant
        self.reason = reason
        program = LitmusProgram(threads: threads, finals: finals)
        self.forbidden = forbidden.split(separator: " ").map(String.init)
        self.found = Set(found.split(separator: " ").map(String.init))
    }
}

// MARK: The words of the table

let x = 0
let y = 1
let z = 2
let bit: ClosedRange<UInt64> = 0...1
/// The values that two writes leave.
let left: ClosedRange<UInt64> = 1...2

func R(_ location: Int, _ order: MemoryOrder = .relaxed) -> LitmusOperation { .read(location, order) }

func W(_ location: Int, _ value: UInt64, _ order: MemoryOrder = .relaxed) -> LitmusOperation {
    .write(location, value, order)
}

extension MemoryOrder {
    static var sc: MemoryOrder { .sequentiallyConsistent }
}
