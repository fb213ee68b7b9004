import Synchronization

/// A flag and a counter that tests share with their threads.
public final class Shared: Sendable {
    public let flag = Atomic<Bool>(false)
    public let count = Atomic<Int>(0)
    public let order = Atomic<Int>(0)

    public init() {}

    public func raise() { flag.store(true, ordering: .releasing) }
    public var isRaised: Bool { flag.load(ordering: .acquiring) }
    @discardableResult
    public func add(_ number: Int = 1) -> Int {
        count.wrappingAdd(number, ordering: .acquiringAndReleasing).newValue
    }
    public var value: Int { count.load(ordering: .acquiring) }
}
