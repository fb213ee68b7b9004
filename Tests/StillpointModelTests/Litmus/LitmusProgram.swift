// A litmus program is data: a few threads, each a list of operations on a few atomic locations, which are 0 at
// first. What it may come to is a set of outcomes: the values that its reads returned, in the order of the text,
// and, when asked for, what its locations hold at the end.

@testable import StillpointModel

enum LitmusOperation: Equatable, Sendable {
    case read(Int, MemoryOrder)
    case write(Int, UInt64, MemoryOrder)
    /// A read-modify-write that adds; returns the old value.
    case add(Int, UInt64, MemoryOrder)
    case exchange(Int, UInt64, MemoryOrder)
    case compareExchange(Int, UInt64, UInt64, MemoryOrder, MemoryOrder)
    case fence(MemoryOrder)
    case plainRead(Int)
    case plainWrite(Int)
    /// Goes on only if the last value read was this.
    case expect(UInt64)

    /// How many values of the outcome it gives.
    var resultCount: Int {
        switch self {
        case .read, .add, .exchange, .compareExchange: 1
        case .write, .fence, .plainRead, .plainWrite, .expect: 0
        }
    }

    private var reads: Bool {
        if case .plainRead = self { return true }
        return resultCount == 1
    }

    private var writes: Bool {
        switch self {
        case .read, .fence, .plainRead, .expect: false
        default: true
        }
    }

    /// Whether it matters which of two threads' operations is made first.
    func depends(on other: Self) -> Bool {
        location != nil && location == other.location && (reads && other.writes || writes && other.reads)
    }

    var location: Int? {
        switch self {
        case .read(let location, _), .write(let location, _, _), .add(let location, _, _),
            .exchange(let location, _, _), .compareExchange(let location, _, _, _, _),
            .plainRead(let location), .plainWrite(let location):
            location
        case .fence, .expect: nil
        }
    }
}

struct LitmusProgram: Sendable {
    var threads: [[LitmusOperation]]
    /// The locations whose last value belongs to the outcome.
    var finals: [Int] = []
    /// Whether all values of these locations belong to it, in modification order: then an outcome is an execution
    /// graph.
    var wantsHistories = false

    var locationCount: Int { ((threads.joined().compactMap(\.location) + finals).max() ?? -1) + 1 }
    var resultCount: Int { threads.joined().reduce(0) { $0 + $1.resultCount } }
}

/// The values read, then those left: `10|2`. A read that was not reached counts as `-`.
struct LitmusOutcome: Hashable, Comparable, CustomStringConvertible {
    var results: [UInt64?]
    var finals: [UInt64]

    var description: String {
        let read = results.map { $0.map(String.init) ?? "-" }.joined()
        return finals.isEmpty ? read : read + "|" + finals.map(String.init).joined()
    }

    static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
