// Where the model's atomics leave the caller's code: one call each, into the run that the calling thread belongs to, or
// to the plain operation.

internal import CStillpointModel

/// What a read-modify-write makes of the old value and its operand.
public enum UpdateOperation: UInt8, Sendable {
    case exchange, add, subtract, and, or, xor, min, max, minSigned, maxSigned

    func apply(_ old: UInt64, _ operand: UInt64, byteCount: Int) -> UInt64 {
        let mask: UInt64 = byteCount == 8 ? .max : (1 << UInt64(byteCount * 8)) - 1
        let result: UInt64 =
            switch self {
            case .exchange: operand
            case .add: old &+ operand
            case .subtract: old &- operand
            case .and: old & operand
            case .or: old | operand
            case .xor: old ^ operand
            case .min: Swift.min(old, operand)
            case .max: Swift.max(old, operand)
            case .minSigned: Self.signed(old, byteCount) < Self.signed(operand, byteCount) ? old : operand
            case .maxSigned: Self.signed(old, byteCount) > Self.signed(operand, byteCount) ? old : operand
            }
        return result & mask
    }

    private static func signed(_ bits: UInt64, _ byteCount: Int) -> Int64 {
        let shift = UInt64(64 - byteCount * 8)
        return Int64(bitPattern: bits << shift) >> Int64(shift)
    }
}

/// One step of an atomic. The order of the parameters keeps the common ones in registers.
public enum AtomicStep {
    @inline(never)
    public static func load(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ order: MemoryOrder,
        _ file: UnsafePointer<UInt8>, _ line: UInt, _ function: UnsafePointer<UInt8>
    ) -> UInt64 {
        guard sp_model_enter() == Mode.thread else { return sp_plain_load(address, byteCount) }
        defer { sp_model_set_mode(Mode.thread) }
        return Execution.withCurrent {
            $0.load(address, byteCount, order, Site(file: file, line: line, function: function))
        }
    }

    @inline(never)
    public static func store(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ order: MemoryOrder,
        _ file: UnsafePointer<UInt8>, _ line: UInt, _ function: UnsafePointer<UInt8>, _ value: UInt64
    ) {
        guard sp_model_enter() == Mode.thread else { return sp_plain_store(address, byteCount, value) }
        Execution.withCurrent {
            $0.store(address, byteCount, value, order, Site(file: file, line: line, function: function))
        }
        sp_model_set_mode(Mode.thread)
    }

    /// The old value.
    @inline(never)
    public static func update(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ order: MemoryOrder,
        _ file: UnsafePointer<UInt8>, _ line: UInt, _ function: UnsafePointer<UInt8>,
        _ operation: UpdateOperation, _ operand: UInt64
    ) -> UInt64 {
        guard sp_model_enter() == Mode.thread else {
            var old = sp_plain_load(address, byteCount)
            while true {
                let new = operation.apply(old, operand, byteCount: byteCount)
                if sp_plain_compare_exchange(address, byteCount, &old, new) != 0 { return old }
            }
        }
        defer { sp_model_set_mode(Mode.thread) }
        return Execution.withCurrent {
            $0.update(
                address, byteCount, operation, operand, order,
                Site(file: file, line: line, function: function))
        }
    }

    @inline(never)
    public static func compareExchange(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ order: MemoryOrder,
        _ file: UnsafePointer<UInt8>, _ line: UInt, _ function: UnsafePointer<UInt8>,
        _ failureOrder: MemoryOrder, _ expected: UInt64, _ desired: UInt64
    ) -> (exchanged: Bool, original: UInt64) {
        guard sp_model_enter() == Mode.thread else {
            var old = expected
            let exchanged = sp_plain_compare_exchange(address, byteCount, &old, desired) != 0
            return (exchanged, old)
        }
        defer { sp_model_set_mode(Mode.thread) }
        return Execution.withCurrent {
            $0.compareExchange(
                address, byteCount, expected, desired, order, failureOrder,
                Site(file: file, line: line, function: function))
        }
    }

    @inline(never)
    public static func fence(
        _ order: MemoryOrder,
        _ file: UnsafePointer<UInt8>, _ line: UInt, _ function: UnsafePointer<UInt8>
    ) {
        guard sp_model_enter() == Mode.thread else { return sp_plain_fence() }
        Execution.withCurrent { $0.fence(order, Site(file: file, line: line, function: function)) }
        sp_model_set_mode(Mode.thread)
    }
}
