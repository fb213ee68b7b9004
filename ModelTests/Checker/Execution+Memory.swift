// The steps of a thread that go to the memory model.

internal import CStillpointModel

extension Execution {
    func load(_ address: UnsafeMutableRawPointer, _ byteCount: Int, _ order: MemoryOrder, _ site: Site) -> UInt64 {
        var step = Operation(.load, UInt(bitPattern: address), site)
        step.order = order
        step.byteCount = UInt8(byteCount)
        if watchesSites { mutate(&step) }
        announce(step)
        lastWasStale = false
        step.result = memory.load(
            by: current, at: step.address, byteCount: byteCount, order: step.order,
            current: sp_plain_load(address, byteCount), site: site, choose: { self.chooseValue($0) })
        finish(&step)
        return step.result
    }

    func store(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ value: UInt64, _ order: MemoryOrder, _ site: Site
    ) {
        var step = Operation(.store, UInt(bitPattern: address), site)
        step.order = order
        step.byteCount = UInt8(byteCount)
        step.operand = value
        let isOmitted = watchesSites && mutate(&step)
        announce(step)
        lastWasStale = false
        if !isOmitted {
            let before = sp_plain_load(address, byteCount)
            let newest = memory.store(
                by: current, at: step.address, byteCount: byteCount, value: value, order: step.order, current: before,
                site: site, choose: { self.chooseValue($0) })
            if newest != before {
                sp_plain_store(address, byteCount, newest)
                noteChange(by: current)
            }
        }
        finish(&step)
    }

    func update(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ operation: UpdateOperation, _ operand: UInt64,
        _ order: MemoryOrder, _ site: Site
    ) -> UInt64 {
        var step = Operation(.update, UInt(bitPattern: address), site)
        step.order = order
        step.failureOrder = .relaxed
        step.byteCount = UInt8(byteCount)
        step.operand = operand
        step.update = operation
        modify(address, &step) { operation.apply($0, operand, byteCount: byteCount) }
        return step.result
    }

    func compareExchange(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, _ expected: UInt64, _ desired: UInt64,
        _ order: MemoryOrder, _ failureOrder: MemoryOrder, _ site: Site
    ) -> (exchanged: Bool, original: UInt64) {
        var step = Operation(.compareExchange, UInt(bitPattern: address), site)
        step.order = order
        step.failureOrder = failureOrder
        step.byteCount = UInt8(byteCount)
        step.operand = desired
        modify(address, &step) { $0 == expected ? desired : nil }
        return (step.result == expected, step.result)
    }

    private func modify(
        _ address: UnsafeMutableRawPointer, _ step: inout Operation, _ transform: (UInt64) -> UInt64?
    ) {
        let isOmitted = watchesSites && mutate(&step)
        announce(step)
        let byteCount = Int(step.byteCount)
        lastWasStale = false
        let before = sp_plain_load(address, byteCount)
        if isOmitted {
            step.result = memory.load(
                by: current, at: step.address, byteCount: byteCount, order: .relaxed, current: before, site: step.site,
                choose: { self.chooseValue($0) })
        } else {
            let update = memory.readModifyWrite(
                by: current, at: step.address, byteCount: byteCount, order: step.order,
                failureOrder: step.failureOrder, current: before, site: step.site,
                choose: { self.chooseValue($0) }, transform: transform)
            step.result = update.old
            step.failed = update.stored == nil
            if update.memory != before {
                sp_plain_store(address, byteCount, update.memory)
                noteChange(by: current)
            }
        }
        finish(&step)
    }

    func fence(_ order: MemoryOrder, _ site: Site) {
        var step = Operation(.fence, 0, site)
        step.order = order
        let isOmitted = watchesSites && mutate(&step)
        announce(step)
        if !isOmitted { memory.fence(by: current, order: step.order, site: site) }
        record(step, by: current)
    }

    private func finish(_ step: inout Operation) {
        if lastWasStale {
            step.isStale = true
            slots[current].sawStale = true
        }
        record(step, by: current)
        if memory.hasFault { failForFault() }
    }

    private func failForFault() -> Never {
        let fault = memory.fault!
        fail(fault.description(threadName: { self.model.names[$0] }, addressName: { self.placeName($0) }))
    }

    /// Keeps the step for the words of a failure, and for the digest of what the thread saw.
    @inline(__always)
    func record(_ step: Operation, by thread: Int) {
        (trace + traceCount % Step.capacity).initialize(to: Step(thread: UInt8(thread), operation: step))
        traceCount += 1
        let saw = step.kind == .store ? 0 : step.result
        slots[thread].digest(saw &+ UInt64(step.kind.rawValue) << 56)
    }

    // MARK: Plain accesses

    func plainAccess(_ address: UInt, _ byteCount: Int, _ isWrite: Bool, _ site: Site) {
        if threadLocals.contains(address) { return }
        let fault =
            isWrite
            ? memory.plainWrite(by: current, at: address, byteCount: byteCount, site: site)
            : memory.plainRead(by: current, at: address, byteCount: byteCount, site: site)
        if fault != nil { failForFault() }
    }

    func memoryChanged(_ address: UInt, _ byteCount: Int, isFreed: Bool) {
        if isFreed {
            if memory.freed(at: address, byteCount: byteCount, by: current) != nil { failForFault() }
        } else {
            memory.allocated(at: address, byteCount: byteCount, by: current)
        }
    }
}
