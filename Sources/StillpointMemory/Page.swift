// A page: blocks of one size, owned by the heap of one thread state, or by nobody.
//
// The problem: the owner allocates and frees without an atomic read-modify-write; any thread may free a block of any
// page at any time, its owner asleep or gone; and a collector that has stopped the world finds every live block.
// So a page has three lists: the owner allocates from one, frees into a second, and takes the second for the first
// when that has run dry; the other threads push onto a third, which is emptied with one exchange.
//
// States, and who makes each move (o owner, s with the world stopped, m holding the interpreter heap's mutex):
//
//                        ran dry, o                    a free, o
//     slices ---> current ---------> full ------------------------> available
//         ^  m       ^  ^             |  ^                          |  |
//         |          |  |   frees by others found, o s              |  | last block freed, o s
//         |          |  +-------------+--+--------------------------+  v
//         |          |                                    o           kept (at most one a class and heap)
//         |          +-------------- adopt, m ---+                     |
//         |                                      |                     |
//         +------ empty, s ------------------ abandoned <--------------+   every state, when its heap is abandoned, m
//
//     slices ---> single ---> freed single ---> slices       one block; never owned: m, and back to slices s
//
// P1  `unfreedCount` = linkedCount - the blocks in `localFreeList`. Blocks in `freeList`, and those that other
//     threads have freed, count as not freed until the owner has moved them. So allocation counts nothing.
// P2  Only a current page has blocks in `freeList`. The page of a list named `available` has some in `localFreeList`.
// P3  A block that is free has a header that says so (BlockHeader.swift); blocks from `linkedCount` on are not visited.
// P4  `noticeAt`: a free that leaves `unfreedCount` at or below it takes the slow path: always in a full page
//     (it has space from then on), at 0 in an available one (it is empty), else never.
// P5  Only a thread that is, or has the right to be, H's owner stores H into `owner`, and only it, or another with the
//     world stopped, takes H out. So `owner == H`, asked by H's thread, cannot change under it; any other answer
//     means nothing but "not mine", and a stale one is as good.
// P6  A page changes its block size, and its memory goes away, only at a stop (`PageReturn.whenStopped`): a late reader
//     of a header always finds a header.
//
// Lock order: the interpreter heap's mutex is a leaf, held across nothing that waits for a thread.
//
// [remote free]  a thread's last use of a block, then its push  ->  the exchange that takes the list, and reuse
// [mutex]        all that was done to a page before it was filed  ->  whoever takes it from there
// [stop]         everything before a stop  ->  the stopper; the stopper  ->  everything after
//
// Limits: a page waits for a stop, not for a grace period of its own (P6). A page is found from a block's first
// byte, not from an address inside.
// Source of the idea: mimalloc's free-list sharding (Leijen, Zorn, de Moura 2019).

public import StillpointPlatform

/// Where a page is filed. Written by whoever may make the move.
enum PageState: UInt8 {
    case current, available, full, kept, abandoned, single, freedSingle
}

/// What `Page.noticeAt` may be, besides 0.
enum Notice {
    static var never: Int32 { -1 }
    static var always: Int32 { .max }
}

/// The record of a page: two cache lines in slice 0 of its segment. The first is the owner's; the second is what
/// other threads and collectors touch, so that their frees do not disturb the owner's allocation.
@unsafe
public struct Page: ~Copyable {
    // First line: owner only, or world stopped; under the mutex while abandoned.

    /// What the owner allocates from.
    @usableFromInline var freeList: UnsafeMutableRawPointer?
    /// What the owner has freed since `freeList` was filled.
    @usableFromInline var localFreeList: UnsafeMutableRawPointer?
    /// P1.
    @usableFromInline var unfreedCount: Int32
    /// P4.
    @usableFromInline var noticeAt: Int32
    /// How many blocks, from the first on, have ever been linked into a list.
    public internal(set) var linkedCount: Int32
    var state: PageState
    /// Links of the list that the page is in (PageList).
    var next: UnsafeMutablePointer<Page>?
    var previous: UnsafeMutablePointer<Page>?
    private let padding: (UInt64, UInt64) = (0, 0)

    // Second line.

    /// The address of the `ThreadHeap` that owns the page, or 0. Atomic, relaxed (P5).
    @usableFromInline let owner: Atomic<UInt>
    /// What other threads have freed. Atomic, edge [remote free].
    let crossThreadFreeList: Atomic<UInt>
    /// The size of a block in bytes. Immutable while the page is in use, as are the next three.
    public let blockByteCount: Int
    /// How many blocks fit.
    public let blockCount: Int32
    let sliceCount: Int32
    /// The index of its size class; `SizeClass.count` in a page of one block.
    let classIndex: Int
    /// For a collector's side table. World stopped; starts as nil, and is nil again when the page is given back.
    public var collectorData: UnsafeMutableRawPointer?
    private let padding2: (UInt64, UInt64) = (0, 0)

    static var recordByteCount: Int { 128 }

    /// A page of blocks of a class in one slice.
    init(of sizeClass: SizeClass) {
        unsafe self.init(
            state: .current, blockByteCount: sizeClass.blockByteCount,
            blockCount: min(
                SegmentLayout.sliceByteCount / sizeClass.blockByteCount,
                HeapLimits.blocksInPage.load(ordering: .relaxed)),
            sliceCount: 1, classIndex: sizeClass.index)
    }

    /// A page of one block, already handed out.
    init(singleBlockByteCount: Int, sliceCount: Int) {
        unsafe self.init(
            state: .single, blockByteCount: singleBlockByteCount, blockCount: 1,
            sliceCount: sliceCount, classIndex: SizeClass.count)
        unsafe linkedCount = 1
        unsafe unfreedCount = 1
    }

    /// The page that is always exhausted: what a heap without a page of some class allocates from. Never written.
    static func absent() -> Page {
        unsafe Page(
            state: .current, blockByteCount: 0, blockCount: 0, sliceCount: 0, classIndex: SizeClass.count)
    }

    private init(
        state: PageState, blockByteCount: Int, blockCount: Int, sliceCount: Int, classIndex: Int
    ) {
        unsafe freeList = nil
        unsafe localFreeList = nil
        unsafe unfreedCount = 0
        unsafe noticeAt = Notice.never
        unsafe linkedCount = 0
        unsafe self.state = state
        unsafe next = nil
        unsafe previous = nil
        unsafe owner = Atomic(0)
        unsafe crossThreadFreeList = Atomic(0)
        unsafe self.blockByteCount = blockByteCount
        unsafe self.blockCount = Int32(blockCount)
        unsafe self.sliceCount = Int32(sliceCount)
        unsafe self.classIndex = classIndex
        unsafe collectorData = nil
    }

    /// The page of the block at `block`, which is the block's first byte. Any thread that keeps the block from
    /// being freed may ask.
    @inlinable @inline(__always)
    public static func containing(_ block: UnsafeRawPointer) -> UnsafeMutablePointer<Page> {
        // The record of slice i stands 128 * i bytes into the segment.
        let address = UInt(bitPattern: block)
        let base = address & ~UInt(SegmentLayout.byteCount &- 1)
        let offset = (address &>> 16 & 63) &<< 7
        return unsafe UnsafeMutablePointer(bitPattern: base &+ offset).unsafelyUnwrapped
    }
}

extension UnsafeMutablePointer where Pointee == Page {
    var segment: UnsafeMutablePointer<Segment> {
        unsafe Segment.containing(UnsafeRawPointer(self))
    }

    /// The index of the page's first slice in its segment.
    var sliceIndex: Int {
        unsafe (Int(bitPattern: self) & (SegmentLayout.byteCount - 1)) / Page.recordByteCount
    }

    /// The page's first byte, where its first block begins.
    public var firstBlock: UnsafeMutableRawPointer { unsafe segment.slice(sliceIndex) }

    /// Whether the page holds one block of a size beyond the classes.
    public var isSingle: Bool { unsafe pointee.classIndex == SizeClass.count }

    /// Whether no block of the page is handed out, as far as the owner can tell (P1).
    var isEmpty: Bool { unsafe pointee.unfreedCount == 0 }

    /// Whether a thread state owns the page; one that is abandoned, or holds one large block, has no owner. World
    /// stopped.
    public var isOwned: Bool { unsafe pointee.owner.load(ordering: .relaxed) != 0 }  // [stop]

    /// Whether a heap that adopts the page could allocate from it.
    var hasSpace: Bool {
        unsafe pointee.localFreeList != nil || pointee.linkedCount < pointee.blockCount
            || hasCrossThreadFrees
    }

    var hasCrossThreadFrees: Bool {
        // relaxed: a hint; who acts on it takes the list by an exchange.
        unsafe pointee.crossThreadFreeList.load(ordering: .relaxed) != 0
    }
}
