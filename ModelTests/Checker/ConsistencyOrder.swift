// The sequentially consistent events of a run, numbered in the order in which they were made, and for each the set
// of those that come before it in the transitive closure of psc, as a row of bits. A row is made when it is first
// needed.

struct ConsistencyOrder {
    /// A set of numbers.
    typealias Row = UnsafeMutablePointer<UInt64>

    /// The event of each number.
    var events = GrowingBuffer<Int32>(capacity: 64)
    /// For each number the one before it in its thread, or -1; and the last fence before it in its thread.
    var previous = GrowingBuffer<Int32>(capacity: 64)
    var previousFence = GrowingBuffer<Int32>(capacity: 64)
    /// How many numbers have their row.
    private(set) var orderedCount: Int32 = 0

    private var rows: Row
    private var rowCapacity: Int32 = 64
    private(set) var wordCount = 1
    /// Rows for the operation under way.
    private static let scratchCount = 4

    var count: Int32 { events.count }

    init() {
        rows = .allocate(capacity: 64 + Self.scratchCount)
        rows.initialize(repeating: 0, count: 64 + Self.scratchCount)
    }

    func deallocate() {
        rows.deallocate()
        events.deallocate()
        previous.deallocate()
        previousFence.deallocate()
    }

    mutating func removeAll() {
        events.removeAll()
        previous.removeAll()
        previousFence.removeAll()
        orderedCount = 0
    }

    /// What comes before the number, itself not included.
    func row(_ number: Int32) -> Row {
        assert(number < orderedCount)
        return rows + Int(number) * wordCount
    }

    /// An empty set to work with; 0 to 3.
    func scratch(_ index: Int) -> Row {
        assert(index < Self.scratchCount)
        let row = rows + (Int(rowCapacity) + index) * wordCount
        row.update(repeating: 0, count: wordCount)
        return row
    }

    /// Gives the next number the set as its row.
    mutating func appendRow(_ set: Row) {
        (rows + Int(orderedCount) * wordCount).update(from: set, count: wordCount)
        orderedCount += 1
    }

    /// Room for the rows of all numbers and of one more. Rows that were given out before are no longer good.
    mutating func reserve() {
        guard count + 1 > rowCapacity else { return }
        let capacity = max(2 * rowCapacity, count + 1)
        let words = (Int(capacity) + 63) / 64
        let size = (Int(capacity) + Self.scratchCount) * words
        let larger = Row.allocate(capacity: size)
        larger.initialize(repeating: 0, count: size)
        for number in 0..<Int(orderedCount) {
            (larger + number * words).update(from: rows + number * wordCount, count: wordCount)
        }
        rows.deallocate()
        rows = larger
        rowCapacity = capacity
        wordCount = words
    }

    func insert(_ number: Int32, into set: Row) {
        set[Int(number) >> 6] |= 1 << UInt64(number & 63)
    }

    func contains(_ number: Int32, in set: Row) -> Bool {
        set[Int(number) >> 6] >> UInt64(number & 63) & 1 != 0
    }

    /// Adds the number and all that comes before it.
    func insertClosure(_ number: Int32, into set: Row) {
        formUnion(set, row(number))
        insert(number, into: set)
    }

    func formUnion(_ set: Row, _ other: Row) {
        for word in 0..<wordCount { set[word] |= other[word] }
    }

    func intersects(_ set: Row, _ other: Row) -> Bool {
        for word in 0..<wordCount where set[word] & other[word] != 0 { return true }
        return false
    }
}
