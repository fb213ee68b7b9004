// The two sides of an ordering: what it makes of a read, and of a write.

extension MemoryOrder {
    @inline(__always) var isAcquiring: Bool { self != .relaxed && self != .release }
    @inline(__always) var isReleasing: Bool { self != .relaxed && self != .acquire }
    @inline(__always) var isSequentiallyConsistent: Bool { self == .sequentiallyConsistent }
}
