// Arithmetic and logic on the model's atomics, as on `Synchronization.Atomic`.

public import Synchronization

extension Atomic where Value: FixedWidthInteger {
    @discardableResult
    @inlinable public borrowing func wrappingAdd(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .add, Self.bits(operand)))
        return (old, old &+ operand)
    }

    @discardableResult
    @inlinable public borrowing func wrappingSubtract(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .subtract, Self.bits(operand)))
        return (old, old &- operand)
    }

    /// Traps on overflow.
    @discardableResult
    @inlinable public borrowing func add(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .add, Self.bits(operand)))
        return (old, old + operand)
    }

    /// Traps on overflow.
    @discardableResult
    @inlinable public borrowing func subtract(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .subtract, Self.bits(operand)))
        return (old, old - operand)
    }

    @discardableResult
    @inlinable public borrowing func bitwiseAnd(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .and, Self.bits(operand)))
        return (old, old & operand)
    }

    @discardableResult
    @inlinable public borrowing func bitwiseOr(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .or, Self.bits(operand)))
        return (old, old | operand)
    }

    @discardableResult
    @inlinable public borrowing func bitwiseXor(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .xor, Self.bits(operand)))
        return (old, old ^ operand)
    }

    @discardableResult
    @inlinable public borrowing func min(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            Value.isSigned ? .minSigned : .min, Self.bits(operand)))
        return (old, Swift.min(old, operand))
    }

    @discardableResult
    @inlinable public borrowing func max(
        _ operand: Value, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            Value.isSigned ? .maxSigned : .max, Self.bits(operand)))
        return (old, Swift.max(old, operand))
    }
}

extension Atomic where Value == Bool {
    @discardableResult
    @inlinable public borrowing func logicalAnd(
        _ operand: Bool, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .and, Self.bits(operand)))
        return (old, old && operand)
    }

    @discardableResult
    @inlinable public borrowing func logicalOr(
        _ operand: Bool, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .or, Self.bits(operand)))
        return (old, old || operand)
    }

    @discardableResult
    @inlinable public borrowing func logicalXor(
        _ operand: Bool, ordering: AtomicUpdateOrdering,
        fileID: StaticString = #fileID, line: UInt = #line, function: StaticString = #function
    ) -> (oldValue: Value, newValue: Value) {
        let old = Self.value(AtomicStep.update(
            address, Self.byteCount, ordering.order, fileID.utf8Start, line, function.utf8Start,
            .xor, Self.bits(operand)))
        return (old, old != operand)
    }
}
