// What a run knows of memory, by granules of 8 aligned bytes: which atomics lie there, who has accessed it plainly,
// and whether it has been freed. An open hash table from a granule's number to its record; emptied by a new
// generation.

struct Granule {
    /// For each of its bytes the atomic that begins there, or -1.
    var locations = SIMD8<Int32>(repeating: -1)
    /// The first of its plain accesses, or -1.
    var accesses: Int32 = -1
    /// The range in which it was freed, or -1.
    var freed: Int32 = -1
}

/// A plain access that later accesses are to be compared with: the last by its thread of these bytes.
struct PlainAccess {
    var site: Site
    var time: Int32
    var next: Int32
    /// Which bytes of the granule.
    var bytes: UInt8
    var thread: UInt8
    var isWrite: Bool
}

struct FreedRange {
    var start: UInt
    /// One past its last byte; `start` when the range is in use again.
    var end: UInt
    var site: Site
    var thread: Int32
}

struct GranuleTable {
    private struct Entry {
        var number: UInt
        var granule: Int32
        var generation: UInt32
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var bitCount: UInt = 9
    private var generation: UInt32 = 1
    var records = GrowingBuffer<Granule>(capacity: 256)
    /// The number of each granule, in the order of `records`.
    var numbers = GrowingBuffer<UInt>(capacity: 256)
    var accesses = GrowingBuffer<PlainAccess>(capacity: 256)
    var freedRanges = GrowingBuffer<FreedRange>(capacity: 16)

    init() {
        entries = Self.makeEntries(bitCount: 9)
    }

    func deallocate() {
        entries.deallocate()
        records.deallocate()
        numbers.deallocate()
        accesses.deallocate()
        freedRanges.deallocate()
    }

    mutating func removeAll() {
        records.removeAll()
        numbers.removeAll()
        accesses.removeAll()
        freedRanges.removeAll()
        generation &+= 1
        if generation == 0 {
            entries.update(repeating: Entry(number: 0, granule: -1, generation: 0), count: 1 << bitCount)
            generation = 1
        }
    }

    /// The granule's record, made when there is none.
    @inline(__always) mutating func granule(_ number: UInt) -> Int32 {
        let index = slot(of: number)
        let entry = entries + index
        if entry.pointee.generation == generation { return entry.pointee.granule }
        return insertSlow(number)
    }

    /// The granule's record, or -1.
    func existing(_ number: UInt) -> Int32 {
        let entry = entries + slot(of: number)
        return entry.pointee.generation == generation ? entry.pointee.granule : -1
    }

    /// The range freed in this run in which the granule lies, or -1.
    func freedRange(of number: UInt) -> Int32 {
        var range = freedRanges.count - 1
        while range >= 0 {
            let freed = freedRanges[range].pointee
            if number << 3 < freed.end && number << 3 &+ 8 > freed.start { return range }
            range -= 1
        }
        return -1
    }

    /// Where the granule stands or would stand.
    @inline(__always) private func slot(of number: UInt) -> Int {
        let mask = (1 << Int(bitCount)) - 1
        var index = Int(bitPattern: (number &* 0x9E37_79B9_7F4A_7C15) >> (64 &- bitCount))
        while entries[index].generation == generation && entries[index].number != number {
            index = (index &+ 1) & mask
        }
        return index
    }

    @inline(never) private mutating func insertSlow(_ number: UInt) -> Int32 {
        if Int(records.count) * 2 >= 1 << Int(bitCount) { grow() }
        var record = Granule()
        record.freed = freedRange(of: number)
        let granule = records.append(record)
        _ = numbers.append(number)
        entries[slot(of: number)] = Entry(number: number, granule: granule, generation: generation)
        return granule
    }

    private mutating func grow() {
        entries.deallocate()
        bitCount += 1
        entries = Self.makeEntries(bitCount: bitCount)
        generation = 1
        for granule in 0..<numbers.count {
            let number = numbers[granule].pointee
            entries[slot(of: number)] = Entry(number: number, granule: granule, generation: generation)
        }
    }

    private static func makeEntries(bitCount: UInt) -> UnsafeMutablePointer<Entry> {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: 1 << Int(bitCount))
        entries.initialize(repeating: Entry(number: 0, granule: -1, generation: 0), count: 1 << Int(bitCount))
        return entries
    }
}
