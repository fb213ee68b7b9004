// What a model is described with: its threads, what must hold after every step, what must hold in the end.

internal import CStillpointModel

/// One run of a model, as its set-up sees it. The set-up makes fresh state and describes the run; it is called for each
/// run.
///
/// What a thread's body shares with others must be made in the set-up, so that each run begins alike.
public final class Model {
    struct Invariant {
        let name: StaticString
        let condition: () -> Bool
    }

    var names: [String] = []
    var invariants: [Invariant] = []
    @exclusivity(unchecked) private(set) var hasInvariants = false
    var finalChecks: [() -> Void] = []
    var outcome: String?
    var digestOutcome: UInt64 = 0
    private var places: [(address: UInt, name: String)] = []

    /// A run of more steps than this fails: it does not end.
    @exclusivity(unchecked) public var stepLimit = 20_000
    /// How often in a row threads may spin while nobody has anything else to do.
    @exclusivity(unchecked) public var spinLimit = 1000
    /// How often a run a thread that spins may go on though nothing has changed and others are ready. What a bounded
    /// spin does when it gives up early is seen only with this.
    @exclusivity(unchecked) public var idleSpins = 1
    /// How often a run a futex sleeper wakes without cause.
    @exclusivity(unchecked) public var spuriousWakes = 0
    /// How far a reading of the clock may choose to jump; 0: time passes only when a deadline is let pass.
    @exclusivity(unchecked) public var clockJumpNanoseconds: UInt64 = 0

    init() {}

    func reset() {
        names.removeAll(keepingCapacity: true)
        hasInvariants = false
        if !invariants.isEmpty { invariants.removeAll(keepingCapacity: true) }
        if !finalChecks.isEmpty { finalChecks.removeAll(keepingCapacity: true) }
        outcome = nil
        if !places.isEmpty { places.removeAll(keepingCapacity: true) }
    }

    /// Lets go of the run's state. Names and outcome stay for the report.
    func endRun() {
        hasInvariants = false
        if !invariants.isEmpty { invariants.removeAll(keepingCapacity: true) }
        if !finalChecks.isEmpty { finalChecks.removeAll(keepingCapacity: true) }
    }

    // MARK: In the set-up

    /// A thread that is there from the beginning.
    @discardableResult
    public func thread(_ name: String, _ body: @escaping () -> Void) -> ModelThread {
        ModelThread(index: Execution.withCurrent { $0.addThread(name, body) })
    }

    /// What must hold between any two steps. Its atomic loads see the newest values.
    public func invariant(_ name: StaticString, _ condition: @escaping () -> Bool) {
        hasInvariants = true
        invariants.append(Invariant(name: name, condition: condition))
    }

    /// What is looked at when all threads have ended.
    public func finally(_ body: @escaping () -> Void) { finalChecks.append(body) }

    /// What the words of a failure call an address.
    public func name(_ address: UnsafeRawPointer, _ name: String) {
        places.append((UInt(bitPattern: address), name))
    }

    public func name<Value>(_ atomic: borrowing Atomic<Value>, _ name: String) {
        places.append((UInt(bitPattern: atomic.address), name))
    }

    /// Zeroed memory at the same address in every run; it is taken back when the run ends.
    public func allocate<Value: ~Copyable>(
        _ type: Value.Type, count: Int = 1, alignment: Int = 16
    ) -> UnsafeMutablePointer<Value> {
        let address = Execution.withCurrent {
            $0.arena.allocate(
                byteCount: MemoryLayout<Value>.stride * count, alignment: max(alignment, MemoryLayout<Value>.alignment))
        }
        return address.bindMemory(to: Value.self, capacity: count)
    }

    // MARK: In threads and final checks

    /// Fails the run unless `condition` holds.
    public func expect(
        _ condition: Bool, _ text: @autoclosure () -> String,
        fileID: StaticString = #fileID, line: UInt = #line
    ) {
        if !condition { modelFailure("\(text()) (\(fileID):\(line))") }
    }

    /// What this run came to. The report counts the runs of each.
    public func outcome(_ text: String) { outcome = text }

    /// The name that it was given.
    func placeName(_ address: UInt) -> String? { places.last { $0.address == address }?.name }
}
