// Elements in a row that are never freed singly: filled in a run, emptied at its end, the memory kept. So a run
// like the last one allocates nothing. Elements are named by their index, since they move when the buffer grows.

struct GrowingBuffer<Element: BitwiseCopyable> {
    private var base: UnsafeMutablePointer<Element>
    private(set) var count: Int32 = 0
    private var capacity: Int32

    init(capacity: Int32) {
        self.capacity = capacity
        base = .allocate(capacity: Int(capacity))
    }

    func deallocate() { base.deallocate() }

    /// The element; good until the next `append`.
    @inline(__always) subscript(index: Int32) -> UnsafeMutablePointer<Element> {
        assert(index >= 0 && index < count)
        return base + Int(index)
    }

    @inline(__always) mutating func append(_ element: Element) -> Int32 {
        if count == capacity { grow() }
        let index = count
        (base + Int(index)).initialize(to: element)
        count = index + 1
        return index
    }

    mutating func removeAll() { count = 0 }

    @inline(never) private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * Int(capacity))
        larger.update(from: base, count: Int(count))
        base.deallocate()
        base = larger
        capacity *= 2
    }
}
