// How strongly an operation is ordered, in the checker's own words and in those of `Synchronization`.

/// The orderings of C++20, without `consume`.
public enum MemoryOrder: UInt8, Sendable {
    case relaxed, acquire, release, acquireRelease, sequentiallyConsistent
}

extension MemoryOrder: CustomStringConvertible {
    public var description: String {
        switch self {
        case .relaxed: "relaxed"
        case .acquire: "acquiring"
        case .release: "releasing"
        case .acquireRelease: "acquiringAndReleasing"
        case .sequentiallyConsistent: "sequentiallyConsistent"
        }
    }
}

/// The ordering of a load.
public struct AtomicLoadOrdering: Hashable, Sendable {
    @usableFromInline let order: MemoryOrder
    @inlinable init(_ order: MemoryOrder) { self.order = order }
    @inlinable public static var relaxed: Self { .init(.relaxed) }
    @inlinable public static var acquiring: Self { .init(.acquire) }
    @inlinable public static var sequentiallyConsistent: Self { .init(.sequentiallyConsistent) }
}

/// The ordering of a store.
public struct AtomicStoreOrdering: Hashable, Sendable {
    @usableFromInline let order: MemoryOrder
    @inlinable init(_ order: MemoryOrder) { self.order = order }
    @inlinable public static var relaxed: Self { .init(.relaxed) }
    @inlinable public static var releasing: Self { .init(.release) }
    @inlinable public static var sequentiallyConsistent: Self { .init(.sequentiallyConsistent) }
}

/// The ordering of a read-modify-write, and of a fence.
public struct AtomicUpdateOrdering: Hashable, Sendable {
    @usableFromInline let order: MemoryOrder
    @inlinable init(_ order: MemoryOrder) { self.order = order }
    @inlinable public static var relaxed: Self { .init(.relaxed) }
    @inlinable public static var acquiring: Self { .init(.acquire) }
    @inlinable public static var releasing: Self { .init(.release) }
    @inlinable public static var acquiringAndReleasing: Self { .init(.acquireRelease) }
    @inlinable public static var sequentiallyConsistent: Self { .init(.sequentiallyConsistent) }

    /// What a comparison that failed is ordered like.
    @usableFromInline var failureOrder: MemoryOrder {
        switch order {
        case .relaxed, .release: .relaxed
        case .acquire, .acquireRelease: .acquire
        case .sequentiallyConsistent: .sequentiallyConsistent
        }
    }
}
