// The atomic that protocol code uses in the build for the model checker: the method surface, the size and the memory
// of `Synchronization.Atomic`, and each operation a step of the run that the calling thread is part of. Outside a run,
// and in a run's set-up and checks, it is the plain operation, sequentially consistent.
//
// Everything inlined here ends in a call with words in registers: the caller's code is instrumented for plain accesses,
// and what the checker itself touches must not show.

public import Synchronization

/// An atomic value. Must be a `let`.
public struct Atomic<Value: AtomicRepresentable>: ~Copyable {
    @usableFromInline let storage: Synchronization.Atomic<Value>

    @inlinable public init(_ initialValue: consuming Value) {
        storage = .init(initialValue)
    }

    /// Where it lies.
    @inlinable var address: UnsafeMutableRawPointer {
        withUnsafePointer(to: storage) { UnsafeMutableRawPointer(mutating: UnsafeRawPointer($0)) }
    }

    @inlinable static var byteCount: Int { MemoryLayout<Value.AtomicRepresentation>.size }

    @inlinable static func bits(_ value: consuming Value) -> UInt64 {
        let representation = Value.encodeAtomicRepresentation(value)
        return switch byteCount {
        case 1: UInt64(unsafeBitCast(representation, to: UInt8.self))
        case 2: UInt64(unsafeBitCast(representation, to: UInt16.self))
        case 4: UInt64(unsafeBitCast(representation, to: UInt32.self))
        case 8: unsafeBitCast(representation, to: UInt64.self)
        default: fatalError("the model checker knows atomics of up to 8 bytes")
        }
    }

    @inlinable static func value(_ bits: UInt64) -> Value {
        typealias Representation = Value.AtomicRepresentation
        let representation = switch byteCount {
        case 1: unsafeBitCast(UInt8(truncatingIfNeeded: bits), to: Representation.self)
        case 2: unsafeBitCast(UInt16(truncatingIfNeeded: bits), to: Representation.self)
        case 4: unsafeBitCast(UInt32(truncatingIfNeeded: bits), to: Representation.self)
        default: unsafeBitCast(bits, to: Representation.self)
        }
        return Value.decodeAtomicRepresentation(representation)
    }
}

extension Atomic: @unchecked Sendable where Value: Sendable {}

extension Atomic {
    @inlinable public borrowing func load(
        ordering: AtomicLoadOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Value {
        Self.value(AtomicStep.load(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start))
    }

    @inlinable public borrowing func store(
        _ desired: consuming Value, ordering: AtomicStoreOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) {
        AtomicStep.store(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            Self.bits(desired))
    }

    @inlinable public borrowing func exchange(
        _ desired: consuming Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> Value {
        Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .exchange, Self.bits(desired)))
    }

    @inlinable public borrowing func compareExchange(
        expected: consuming Value, desired: consuming Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (exchanged: Bool, original: Value) {
        let (exchanged, original) = AtomicStep.compareExchange(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            ordering.failureOrder, Self.bits(expected), Self.bits(desired))
        return (exchanged, Self.value(original))
    }

    @inlinable public borrowing func compareExchange(
        expected: consuming Value, desired: consuming Value,
        successOrdering: AtomicUpdateOrdering, failureOrdering: AtomicLoadOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (exchanged: Bool, original: Value) {
        let (exchanged, original) = AtomicStep.compareExchange(
            address, Self.byteCount, successOrdering.order, fileID.utf8Start, line, function.utf8Start,
            failureOrdering.order, Self.bits(expected), Self.bits(desired))
        return (exchanged, Self.value(original))
    }

    /// As `compareExchange`: the model's never fails without cause.
    @inlinable public borrowing func weakCompareExchange(
        expected: consuming Value, desired: consuming Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (exchanged: Bool, original: Value) {
        compareExchange(
            expected: expected, desired: desired, ordering: ordering, fileID: fileID, line: line,
            function: function)
    }

    /// As `compareExchange`: the model's never fails without cause.
    @inlinable public borrowing func weakCompareExchange(
        expected: consuming Value, desired: consuming Value,
        successOrdering: AtomicUpdateOrdering, failureOrdering: AtomicLoadOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (exchanged: Bool, original: Value) {
        compareExchange(
            expected: expected, desired: desired, successOrdering: successOrdering,
            failureOrdering: failureOrdering, fileID: fileID, line: line, function: function)
    }
}

/// A fence between this thread's operations.
@inlinable
public func atomicMemoryFence(
    ordering: AtomicUpdateOrdering,
    fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
) {
    AtomicStep.fence(ordering.order, fileID.utf8Start, line, function.utf8Start)
}
