// The heap of an interpreter: its segments, and the pages that no thread state owns.
//
// Thread states come here for a page at a time. Pages that they leave behind wait here by size class, and are adopted
// by whoever needs one of that class, in this interpreter alone. Large blocks belong here from the start, since any
// thread may free them and a page of one block has no list that an owner could take advantage of.
//
// H1  A page is in at most one of: a heap's current, kept, available, full; `abandoned`; `freedSingles`.
// H2  `emptySegmentCount` is the number of segments with no page and no slice held; `usedSliceCount` and
//     `dirtySliceCount` are the sums over all segments. All are guarded by `mutex`.
// H3  `mutex` is a leaf: nobody who holds it waits for a thread, reaches a safepoint, or makes a system call. A pause
//     may take it: its holder is not stopped while it holds it.
// H4  The list of segments and their `pageStarts` are read without the mutex by the stopper alone. So whoever may
//     change them, `purge` included, is attached, and does not run in a pause, or is the stopper.

internal import StillpointPlatform
internal import StillpointSynchronization

/// When the memory of an empty page may serve another purpose.
public enum PageReturn: Sendable {
    /// At the next stop of the interpreter; until then only blocks of the same class. For a heap whose objects are
    /// found by lock-free readers: in a stop nobody holds an address that was not retained.
    case whenStopped
    /// As soon as it is empty.
    case atOnce
}

/// The heap of an interpreter. It lives in raw memory, is reached by pointer, and outlives its thread states' heaps.
@unsafe
public struct InterpreterHeap: ~Copyable {
    /// In address order. Guarded by `mutex`, but see H4. Not an immutable field, but this one, comes first: Swift
    /// tells ThreadSanitizer of a change of any field as a change at the address of the whole.
    var firstSegment: UnsafeMutablePointer<Segment>?
    /// The page that thread heaps have where they have none. Immutable. At `absentPageOffset`.
    private let absentPageRecord: Page
    let mutex: ParkingMutex
    /// Immutable.
    public let pageReturn: PageReturn

    // Guarded by `mutex`, but see H4.

    /// Segments with a free slice; empty ones at the end.
    var firstWithSpace: UnsafeMutablePointer<Segment>?
    var lastWithSpace: UnsafeMutablePointer<Segment>?
    var segmentCount: Int
    var emptySegmentCount: Int
    /// Slices of pages, and slices that are free but perhaps backed by memory.
    var usedSliceCount: Int
    var dirtySliceCount: Int
    /// Memory of huge segments, beyond their slice 0, in bytes.
    var hugeByteCount: Int
    /// Pages without an owner, by class; empty ones among them.
    var abandoned: InlineArray<39, PageList>
    /// Pages of one large block that has been freed.
    var freedSingles: PageList

    /// Address space held, in bytes. Atomic, relaxed: for statistics.
    let reservedByteCount: Atomic<Int>
    /// Atomic, relaxed: an estimate.
    let allocatedByteCount: Atomic<Int>

    /// A heap without segments.
    public init(pageReturn: PageReturn = .whenStopped) {
        unsafe absentPageRecord = unsafe Page.absent()
        unsafe mutex = ParkingMutex()
        unsafe self.pageReturn = pageReturn
        unsafe firstSegment = nil
        unsafe firstWithSpace = nil
        unsafe lastWithSpace = nil
        unsafe segmentCount = 0
        unsafe emptySegmentCount = 0
        unsafe usedSliceCount = 0
        unsafe dirtySliceCount = 0
        unsafe hugeByteCount = 0
        unsafe abandoned = InlineArray(repeating: PageList())
        unsafe freedSingles = PageList()
        unsafe reservedByteCount = Atomic(0)
        unsafe allocatedByteCount = Atomic(0)
    }

    /// Unmaps every segment, whatever is in it: the interpreter is over.
    deinit {
        var segment = unsafe firstSegment
        while let here = unsafe segment {
            unsafe segment = here.pointee.next
            unsafe here.unmap()
        }
    }
}

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    var absentPage: UnsafeMutablePointer<Page> {
        unsafe (UnsafeMutableRawPointer(self) + HeapLimits.absentPageOffset)
            .assumingMemoryBound(to: Page.self)
    }

    /// Bytes allocated since `noteCollection()`, for a trigger: counted when a thread's list of free blocks is filled,
    /// so it runs ahead by what is left in the lists, and lags by at most 64 KiB a thread. Any thread.
    public var allocatedBytesSinceLastCollection: Int {
        unsafe pointee.allocatedByteCount.load(ordering: .relaxed)  // an estimate
    }

    /// Starts `allocatedBytesSinceLastCollection` anew.
    public func noteCollection() {
        unsafe pointee.allocatedByteCount.store(0, ordering: .relaxed)  // an estimate
    }

    /// Calls `body` with the mutex held. `body` waits for nothing (H3).
    func locked<Result: ~Copyable>(_ body: () -> Result) -> Result {
        unsafe pointee.mutex.lock()
        defer { unsafe pointee.mutex.unlock() }
        return body()
    }
}
