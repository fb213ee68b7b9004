// Sequential consistency in the place of the memory model, until that stands.

public typealias Choose = (_ count: Int) -> Int

public struct ModelFault: Error, CustomStringConvertible { public let description: String }

public struct ClockSnapshot { public init() {} }

public struct MemoryModel {
    public init() {}
    public mutating func reset(threadCount: Int) {}
    public mutating func load(
        by thread: Int, at address: UInt, byteCount: Int, order: MemoryOrder, current: UInt64, site: Site, choose: Choose
    ) -> UInt64 { current }
    public mutating func store(
        by thread: Int, at address: UInt, byteCount: Int, order: MemoryOrder, value: UInt64, current: UInt64, site: Site,
        choose: Choose
    ) -> UInt64 { value }
    public mutating func readModifyWrite(
        by thread: Int, at address: UInt, byteCount: Int, order: MemoryOrder, failureOrder: MemoryOrder, current: UInt64,
        site: Site, choose: Choose, transform: (UInt64) -> UInt64?
    ) -> (old: UInt64, stored: UInt64?) { (current, transform(current)) }
    public mutating func fence(by thread: Int, order: MemoryOrder) {}
    public mutating func start(child: Int, by parent: Int) {}
    public mutating func join(child: Int, by thread: Int) {}
    public mutating func release(by thread: Int) -> ClockSnapshot { .init() }
    public mutating func acquire(_ snapshot: ClockSnapshot, by thread: Int) {}
    public mutating func plainRead(by thread: Int, at address: UInt, byteCount: Int, site: Site) -> ModelFault? { nil }
    public mutating func plainWrite(by thread: Int, at address: UInt, byteCount: Int, site: Site) -> ModelFault? { nil }
    public mutating func allocated(at address: UInt, byteCount: Int, by thread: Int) {}
    public mutating func freed(at address: UInt, byteCount: Int, by thread: Int) -> ModelFault? { nil }
    public mutating func spun(by thread: Int) {}
}
