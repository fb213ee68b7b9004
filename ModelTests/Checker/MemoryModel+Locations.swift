// From an address to the location whose history it is, and where a history begins.

extension MemoryModel {
    enum AccessKind {
        case atomicLoad, atomicStore, plainRead, plainWrite, free

        var isWrite: Bool { self == .atomicStore || self == .plainWrite || self == .free }
        var isAtomic: Bool { self == .atomicLoad || self == .atomicStore }

        var words: String {
            switch self {
            case .atomicLoad: "atomic load"
            case .atomicStore: "atomic store"
            case .plainRead: "plain read"
            case .plainWrite: "plain write"
            case .free: "free"
            }
        }
    }

    /// The location that an atomic access is of, or -1 after a fault.
    @inline(__always) func locate(
        _ address: UInt, _ byteCount: Int, _ current: UInt64, by thread: Int, _ kind: AccessKind, _ site: Site
    ) -> Int32 {
        let granule = granules.granule(address >> 3)
        let record = granules.records[granule]
        let location = lanes(&record.pointee.locations)[Int(address & 7)]
        guard location >= 0, record.pointee.freed < 0, locations[location].pointee.byteCount == byteCount,
            stores[locations[location].pointee.newest].pointee.value == current
        else { return locateSlow(granule, address, byteCount, current, by: thread, kind, site) }
        if record.pointee.accesses >= 0 {
            let bytes = bytes(of: address, byteCount)
            if !checkPlainAccesses(granule, bytes, by: thread, kind, site) { return -1 }
        }
        return location
    }

    @inline(never) private func locateSlow(
        _ granule: Int32, _ address: UInt, _ byteCount: Int, _ current: UInt64, by thread: Int, _ kind: AccessKind,
        _ site: Site
    ) -> Int32 {
        guard [1, 2, 4, 8].contains(byteCount), address % UInt(byteCount) == 0 else {
            return fail(.badAccess, address, byteCount, by: thread, kind, site, earlier: nil)
        }
        if granules.records[granule].pointee.freed >= 0 {
            return fail(.useAfterFree, address, byteCount, by: thread, kind, site, earlier: freeing(of: granule))
        }
        let bytes = bytes(of: address, byteCount)
        guard checkPlainAccesses(granule, bytes, by: thread, kind, site) else { return -1 }
        for byte in 0..<8 {
            let other = granules.records[granule].pointee.locations[byte]
            guard other >= 0 else { continue }
            let record = locations[other].pointee
            if record.address == address && record.byteCount == byteCount {
                unreportedChangeCount += 1
            } else if bytes & self.bytes(of: record.address, Int(record.byteCount)) != 0 {
                let earlier = lastAccess(of: other, where: { _ in true }).map { access(ofEvent: $0) }
                return fail(.mixedWidths, address, byteCount, by: thread, kind, site, earlier: earlier)
            }
        }
        return beginHistory(granule, address, byteCount, current)
    }

    private func beginHistory(_ granule: Int32, _ address: UInt, _ byteCount: Int, _ current: UInt64) -> Int32 {
        let store = stores.append(
            Store(
                message: .zero, firstKnown: .zero, value: current, previous: -1, next: -1, position: 0, event: -1,
                time: 0, thread: 0, isUpdate: false, isConsistent: false))
        let location = locations.append(
            Location(
                lastAccess: SIMD8(repeating: -1), spinRound: SIMD8(repeating: -1), address: address, newest: store,
                byteCount: Int32(truncatingIfNeeded: byteCount)))
        granules.records[granule].pointee.locations[Int(address & 7)] = location
        return location
    }

    /// The bytes of the granule as bits.
    @inline(__always) func bytes(of address: UInt, _ byteCount: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: ((1 &<< byteCount) &- 1) &<< Int(address & 7))
    }

    // MARK: Faults

    /// Of all threads' accesses of the location the newest for which the condition holds.
    func lastAccess(of location: Int32, where condition: (Event) -> Bool) -> Int32? {
        var found: Int32 = -1
        for thread in 0..<threadCount {
            var event = locations[location].pointee.lastAccess[thread]
            while event > found {
                if condition(events[event].pointee) { found = event }
                event = events[event].pointee.previousHere
            }
        }
        return found < 0 ? nil : found
    }

    func access(ofEvent event: Int32) -> ModelFault.Access {
        let words =
            switch events[event].pointee.kind {
            case .load: "atomic load"
            case .store: "atomic store"
            case .update: "atomic update"
            default: "access"
            }
        return ModelFault.Access(
            thread: Int(events[event].pointee.thread), operation: words, site: sites[event].pointee)
    }

    func freeing(of granule: Int32) -> ModelFault.Access {
        let range = granules.freedRanges[granules.records[granule].pointee.freed].pointee
        return ModelFault.Access(thread: Int(range.thread), operation: AccessKind.free.words, site: range.site)
    }

    /// Reports a fault; -1, for those who return a location.
    @discardableResult func fail(
        _ fault: ModelFault.Kind, _ address: UInt, _ byteCount: Int, by thread: Int, _ kind: AccessKind, _ site: Site,
        earlier: ModelFault.Access?
    ) -> Int32 {
        report(
            ModelFault(
                kind: fault, address: address, byteCount: byteCount,
                access: ModelFault.Access(thread: thread, operation: kind.words, site: site), earlier: earlier))
        return -1
    }
}
