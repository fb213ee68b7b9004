// Mutants: one line of the source does less than it says, in the runs of one exploration. A model that still passes
// does not need what was taken away, or does not look.

/// A line that an exploration came by, and what it does there.
public struct MutationSite: Hashable, Sendable, CustomStringConvertible {
    /// `Module/File.swift`; for a recheck, empty.
    public let fileID: String
    public let line: UInt
    /// As `load`, `compareExchange`, `fence`, `futexWake`; for a recheck, its name.
    public let operation: String
    public let order: MemoryOrder
    public let failureOrder: MemoryOrder

    public var description: String {
        fileID.isEmpty ? "recheck \(operation)" : "\(fileID):\(line) \(operation) \(order)"
    }

    /// All that can be taken away here.
    public var mutants: [Mutant] {
        if fileID.isEmpty { return [Mutant(site: self, change: .recheck)] }
        var changes: [Mutant.Change] = []
        switch operation {
        case "load", "store", "update", "compareExchange", "fence":
            if order == .sequentiallyConsistent {
                switch operation {
                case "load": changes.append(.acquireOnly)
                case "store": changes.append(.releaseOnly)
                default: changes.append(.acquireRelease)
                }
            }
            if order == .acquireRelease { changes += [.acquireOnly, .releaseOnly] }
            if order != .relaxed { changes.append(.relaxed) }
            if failureOrder != .relaxed { changes.append(.relaxedFailure) }
            if operation != "load" { changes.append(.omitted) }
        default: changes.append(.omitted)
        }
        return changes.map { Mutant(site: self, change: $0) }
    }
}

/// One change at one place.
public struct Mutant: Hashable, Sendable, CustomStringConvertible {
    public enum Change: String, Sendable, CaseIterable {
        /// Ordered no more.
        case relaxed
        /// A comparison that fails is ordered no more.
        case relaxedFailure
        /// Half of an ordering is lost.
        case acquireOnly, releaseOnly
        /// Sequentially consistent no more.
        case acquireRelease
        /// Does not happen; it reports what it would have.
        case omitted
        /// `modelOmitsRecheck` of this name is true.
        case recheck
    }

    public let site: MutationSite
    public let change: Change

    public init(site: MutationSite, change: Change) {
        self.site = site
        self.change = change
    }

    /// A recheck taken as passed.
    public init(recheck name: String) {
        site = MutationSite(fileID: "", line: 0, operation: name, order: .relaxed, failureOrder: .relaxed)
        change = .recheck
    }

    public var description: String { "\(site) -> \(change.rawValue)" }
}

/// The places that the explorations given it came by. Of one OS thread.
public final class SiteList {
    public private(set) var sites: Set<MutationSite> = []
    private var seen: Set<Key> = []

    private struct Key: Hashable {
        let file: UInt
        let line: UInt
        let kind: UInt8
        let order: UInt8
        let failureOrder: UInt8
    }

    public init() {}

    /// In the order of files and lines.
    public var mutants: [Mutant] {
        sites.sorted { ($0.fileID, $0.line, $0.operation) < ($1.fileID, $1.line, $1.operation) }.flatMap(\.mutants)
    }

    func note(_ step: Operation) {
        let key = Key(
            file: step.site.fileKey, line: step.site.line, kind: step.kind.rawValue, order: step.order.rawValue,
            failureOrder: step.failureOrder.rawValue)
        guard seen.insert(key).inserted else { return }
        sites.insert(MutationSite(
            fileID: step.site.fileID, line: step.site.line, operation: "\(step.kind)", order: step.order,
            failureOrder: step.failureOrder))
    }

    func note(recheck name: StaticString) {
        sites.insert(Mutant(recheck: "\(name)").site)
    }
}

extension Execution {
    /// Changes the step as the mutant says; whether it is not to happen.
    @discardableResult
    func mutate(_ step: inout Operation) -> Bool {
        sites?.note(step)
        guard let mutant, step.site.line == mutant.site.line, "\(step.kind)" == mutant.site.operation,
            step.site.fileID == mutant.site.fileID
        else { return false }
        step.isMutated = true
        switch mutant.change {
        case .relaxed: step.order = .relaxed
        case .relaxedFailure: step.failureOrder = .relaxed
        case .acquireOnly: step.order = .acquire
        case .releaseOnly: step.order = .release
        case .acquireRelease: step.order = .acquireRelease
        case .omitted: return true
        case .recheck: break
        }
        return false
    }

    func omitsRecheck(_ name: StaticString) -> Bool {
        sites?.note(recheck: name)
        guard let mutant, mutant.change == .recheck else { return false }
        return mutant.site.operation == "\(name)"
    }
}
