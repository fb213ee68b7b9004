// Plain accesses, as the compiler reports them: each is compared with the plain and atomic accesses of the same
// bytes that went before. Two that touch, one of them a write, neither before the other by happens-before, are a
// data race. The idea is FastTrack's (Flanagan, Freund, PLDI 2009); for each byte and thread the last read and the
// last write are kept.
//
// A plain write over an atomic ends its history: what is there next begins with what memory then holds.

extension MemoryModel {
    public func plainRead(by thread: Int, at address: UInt, byteCount: Int, site: Site) -> ModelFault? {
        plainAccess(.plainRead, by: thread, at: address, byteCount, site)
    }

    public func plainWrite(by thread: Int, at address: UInt, byteCount: Int, site: Site) -> ModelFault? {
        plainAccess(.plainWrite, by: thread, at: address, byteCount, site)
    }

    /// The bytes are fresh: nothing that was done to them before counts.
    public func allocated(at address: UInt, byteCount: Int, by thread: Int) {
        let end = address + UInt(byteCount)
        forEachGranule(from: address, to: end) { granule in
            granules.records[granule].pointee = Granule()
        }
        for range in 0..<granules.freedRanges.count {
            let freed = granules.freedRanges[range]
            guard freed.pointee.start < end, address < freed.pointee.end else { continue }
            if freed.pointee.end > end {
                var rest = freed.pointee
                rest.start = end
                if freed.pointee.start < address {
                    _ = granules.freedRanges.append(rest)
                } else {
                    freed.pointee.start = end
                    continue
                }
            }
            granules.freedRanges[range].pointee.end = max(granules.freedRanges[range].pointee.start, address)
        }
    }

    /// The bytes are nobody's until they are allocated again. All accesses of them must happen before.
    public func freed(at address: UInt, byteCount: Int, by thread: Int, site: Site = .unknown) -> ModelFault? {
        guard byteCount > 0 else { return nil }
        let end = address + UInt(byteCount)
        if granules.freedRange(of: address >> 3) >= 0 {
            let granule = granules.granule(address >> 3)
            fail(.freedTwice, address, byteCount, by: thread, .free, site, earlier: freeing(of: granule))
            return fault
        }
        let range = granules.freedRanges.append(
            FreedRange(start: address, end: end, site: site, thread: Int32(truncatingIfNeeded: thread)))
        forEachGranule(from: address, to: end) { granule in
            if !checkAll(granule, 0xFF, by: thread, .free, site) { return }
            granules.records[granule].pointee = Granule()
            granules.records[granule].pointee.freed = range
        }
        return fault
    }

    private func forEachGranule(from address: UInt, to end: UInt, _ body: (Int32) -> Void) {
        guard address < end else { return }
        let first = address >> 3
        let last = (end - 1) >> 3
        if last - first < UInt(granules.records.count) {
            for number in first...last {
                let granule = granules.existing(number)
                if granule >= 0 { body(granule) }
            }
        } else {
            for granule in 0..<granules.records.count
            where (first...last).contains(granules.numbers[granule].pointee) {
                body(granule)
            }
        }
    }

    private func plainAccess(
        _ kind: AccessKind, by thread: Int, at address: UInt, _ byteCount: Int, _ site: Site
    ) -> ModelFault? {
        guard byteCount > 0 else { return nil }
        let time = plainTime(thread)
        let end = address + UInt(byteCount)
        var start = address
        while start < end {
            let stop = min(end, (start | 7) + 1)
            plainAccess(kind, by: thread, time, at: start, Int(stop - start), site)
            start = stop
        }
        return hasFault ? fault : nil
    }

    /// All plain accesses between two other events are one event: a later release hands them over, an earlier one
    /// does not.
    private func plainTime(_ thread: Int) -> Int32 {
        let last = threads[thread].lastEvent
        if last >= 0, events[last].pointee.kind == .plain { return events[last].pointee.time }
        let time = advance(thread)
        _ = append(.plain, by: thread, time: time, location: -1, store: -1, site: nil)
        return time
    }

    /// Within one granule.
    private func plainAccess(
        _ kind: AccessKind, by thread: Int, _ time: Int32, at address: UInt, _ byteCount: Int, _ site: Site
    ) {
        let granule = granules.granule(address >> 3)
        let bytes = bytes(of: address, byteCount)
        let record = granules.records[granule]
        if record.pointee.freed >= 0 {
            fail(.useAfterFree, address, byteCount, by: thread, kind, site, earlier: freeing(of: granule))
            return
        }
        guard checkAll(granule, bytes, by: thread, kind, site) else { return }
        if kind.isWrite, any(record.pointee.locations .>= 0) { endHistories(granule, bytes) }
        notePlain(granule, bytes, isWrite: kind.isWrite, by: thread, time, site)
    }

    /// Keeps the access, and forgets those that it stands for: a write for all of these bytes, since they happen
    /// before it; a read for its own thread's reads.
    private func notePlain(
        _ granule: Int32, _ bytes: UInt8, isWrite: Bool, by thread: Int, _ time: Int32, _ site: Site
    ) {
        var free: Int32 = -1
        var previous: Int32 = -1
        var index = granules.records[granule].pointee.accesses
        while index >= 0 {
            let access = granules.accesses[index]
            let next = access.pointee.next
            if isWrite || (!access.pointee.isWrite && Int(access.pointee.thread) == thread) {
                access.pointee.bytes &= ~bytes
            }
            if access.pointee.bytes == 0 {
                if previous < 0 {
                    granules.records[granule].pointee.accesses = next
                } else {
                    granules.accesses[previous].pointee.next = next
                }
                free = index
            } else {
                previous = index
            }
            index = next
        }
        let access = PlainAccess(
            site: site, time: time, next: granules.records[granule].pointee.accesses, bytes: bytes,
            thread: UInt8(truncatingIfNeeded: thread), isWrite: isWrite)
        if free >= 0 { granules.accesses[free].pointee = access } else { free = granules.accesses.append(access) }
        granules.records[granule].pointee.accesses = free
    }

    private func endHistories(_ granule: Int32, _ bytes: UInt8) {
        for byte in 0..<8 {
            let location = granules.records[granule].pointee.locations[byte]
            guard location >= 0 else { continue }
            let record = locations[location].pointee
            if bytes & self.bytes(of: record.address, Int(record.byteCount)) != 0 {
                granules.records[granule].pointee.locations[byte] = -1
            }
        }
    }

    // MARK: Races

    /// False after a fault: an access of these bytes that does not go together with this one.
    private func checkAll(
        _ granule: Int32, _ bytes: UInt8, by thread: Int, _ kind: AccessKind, _ site: Site
    ) -> Bool {
        if granules.records[granule].pointee.accesses >= 0,
            !checkPlainAccesses(granule, bytes, by: thread, kind, site)
        {
            return false
        }
        if any(granules.records[granule].pointee.locations .>= 0) {
            return checkAtomicAccesses(granule, bytes, by: thread, kind, site)
        }
        return true
    }

    /// An update writes, which is known only when it has succeeded.
    func checkUpdate(of location: Int32, by thread: Int, _ site: Site) {
        let address = locations[location].pointee.address
        let granule = granules.granule(address >> 3)
        guard granules.records[granule].pointee.accesses >= 0 else { return }
        let bytes = bytes(of: address, Int(locations[location].pointee.byteCount))
        _ = checkPlainAccesses(granule, bytes, by: thread, .atomicStore, site)
    }

    /// Against plain accesses.
    @inline(__always) func checkPlainAccesses(
        _ granule: Int32, _ bytes: UInt8, by thread: Int, _ kind: AccessKind, _ site: Site
    ) -> Bool {
        let clock = lanes(&threads[thread].clock)
        var index = granules.records[granule].pointee.accesses
        while index >= 0 {
            let access = granules.accesses[index]
            if access.pointee.bytes & bytes != 0, access.pointee.isWrite || kind.isWrite,
                access.pointee.time > clock[Int(access.pointee.thread)]
            {
                reportRace(granule, bytes, by: thread, kind, site, with: access.pointee)
                return false
            }
            index = access.pointee.next
        }
        return true
    }

    @inline(never) private func reportRace(
        _ granule: Int32, _ bytes: UInt8, by thread: Int, _ kind: AccessKind, _ site: Site, with access: PlainAccess
    ) {
        let other: AccessKind = access.isWrite ? .plainWrite : .plainRead
        let start = granules.numbers[granule].pointee << 3 + UInt(bytes.trailingZeroBitCount)
        fail(
            kind == .free ? .freedInUse : .dataRace, start, bytes.nonzeroBitCount, by: thread, kind, site,
            earlier: ModelFault.Access(thread: Int(access.thread), operation: other.words, site: access.site))
    }

    /// A plain access against atomic ones.
    private func checkAtomicAccesses(
        _ granule: Int32, _ bytes: UInt8, by thread: Int, _ kind: AccessKind, _ site: Site
    ) -> Bool {
        let clock = threads[thread].clock
        for byte in 0..<8 {
            let location = granules.records[granule].pointee.locations[byte]
            guard location >= 0 else { continue }
            let record = locations[location].pointee
            guard bytes & self.bytes(of: record.address, Int(record.byteCount)) != 0 else { continue }
            let other = lastAccess(of: location) { event in
                (kind.isWrite || event.kind != .load) && event.time > clock[Int(event.thread)]
            }
            guard let other else { continue }
            fail(
                kind == .free ? .freedInUse : .dataRace, record.address, Int(record.byteCount), by: thread, kind, site,
                earlier: access(ofEvent: other))
            return false
        }
        return true
    }
}
