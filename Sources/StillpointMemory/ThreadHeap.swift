// The heap of one thread state: the pages it owns, one current page for each size class to allocate from.
// A block comes from a page's free list with two loads, a test and a store; a free goes back to the page with three
// stores to the block's header. Everything else is on the slow paths (ThreadHeap+Slow.swift), which are entered at a
// bounded rate, so that whatever must be done from time to time hangs there.
//
// A heap belongs to a thread state, not to an OS thread: an OS thread with states in two interpreters has two.
// States of pages, invariants, edges: Page.swift.

public import CStillpoint
public import StillpointPlatform

/// The pages of one size class that a heap owns, the current one aside. Owner only, or world stopped.
@unsafe
struct ClassPages {
    /// Pages with freed blocks, the longest known first.
    var available = unsafe PageList()
    /// Pages that had no free block when last looked at, the longest not looked at first.
    var full = unsafe PageList()
    /// An empty page, or nil.
    var kept: UnsafeMutablePointer<Page>?
}

/// The heap of one thread state. It lives in raw memory, is reached by pointer, and must be abandoned before it is
/// deinitialised. All of it is owner only, or world stopped, or for whoever has the exclusive right to the state.
@unsafe
public struct ThreadHeap: ~Copyable {
    /// What is allocated from, by class; the absent page where there is none.
    @usableFromInline var current: InlineArray<39, UnsafeMutablePointer<Page>>
    var classes: InlineArray<39, ClassPages>
    /// Where its segments come from. Immutable; outlives this heap.
    public let interpreterHeap: UnsafeMutablePointer<InterpreterHeap>
    /// Bytes handed out that the interpreter heap has not been told of.
    var unreportedByteCount: Int

    /// A heap without pages.
    public init(of interpreterHeap: UnsafeMutablePointer<InterpreterHeap>) {
        unsafe current = InlineArray(repeating: interpreterHeap.absentPage)
        unsafe classes = InlineArray(repeating: ClassPages())
        unsafe self.interpreterHeap = unsafe interpreterHeap
        unsafe unreportedByteCount = 0
    }

    /// Frees `block`, whichever page and owner it has, on behalf of the thread of `heap`. The block is a first byte
    /// that a heap of the same interpreter handed out; its contents are gone, its header is that of a free block.
    @inlinable @inline(__always)
    public static func free(
        _ block: UnsafeMutableRawPointer, by heap: UnsafeMutablePointer<ThreadHeap>
    ) {
        let page = unsafe Page.containing(block)
        // relaxed: P5.
        guard unsafe page.pointee.owner.load(ordering: .relaxed) == UInt(bitPattern: heap) else {
            return unsafe freeElsewhere(block)
        }
        unsafe BlockHeader.writeFree(block, next: page.pointee.localFreeList)
        unsafe block.poisonBody(of: page)
        unsafe page.pointee.localFreeList = block
        let unfreedCount = unsafe page.pointee.unfreedCount &- 1
        unsafe page.pointee.unfreedCount = unfreedCount
        if unsafe unfreedCount <= page.pointee.noticeAt { unsafe heap.noticeFreeSlow(page) }
    }

    /// Frees a block whose page no heap of the caller's owns. Any thread that a stop would wait for, or the stopper.
    @inline(never)
    public static func freeElsewhere(_ block: UnsafeMutableRawPointer) {
        let page = unsafe Page.containing(block)
        if unsafe page.isSingle {
            unsafe page.segment.pointee.interpreterHeap.freeSingle(page)
        } else {
            unsafe block.poisonBody(of: page)
            unsafe page.pushCrossThreadFree(block)
        }
    }
}

extension UnsafeMutablePointer where Pointee == ThreadHeap {
    /// A block of `sizeClass`; nil: no memory. Owner only. Its header is that of a free block, and stays so for
    /// visitors until a type word is stored; its other bytes are whatever they were.
    @inlinable @inline(__always)
    public func allocate(_ sizeClass: SizeClass) -> UnsafeMutableRawPointer? {
        let page = unsafe pointee.current[unchecked: sizeClass.index]
        guard let block = unsafe page.pointee.freeList else { return unsafe allocateSlow(sizeClass) }
        unsafe page.pointee.freeList = BlockHeader.readLink(block)
        unsafe block.unpoison(byteCount: sizeClass.blockByteCount)
        return unsafe block
    }

    /// A block of at least `byteCount` bytes, header included, of any size. Owner only.
    @inlinable @inline(__always)
    public func allocate(byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer {
        let block = if byteCount <= SizeClass.largestByteCount {
            unsafe allocate(SizeClass(for: byteCount))
        } else {
            unsafe allocateSingleSlow(byteCount: byteCount)
        }
        guard let block = unsafe block else { throw OutOfMemory(requestedByteCount: byteCount) }
        return unsafe block
    }
}

// MARK: AddressSanitizer

extension UnsafeMutableRawPointer {
    /// From here on nobody may touch the free block at this address beyond its header; nothing in other builds.
    @inlinable @inline(__always)
    func poisonBody(of page: UnsafeMutablePointer<Page>) {
        guard sp_has_address_sanitizer() != 0 else { return }
        unsafe sp_poison(
            self + BlockHeader.byteCount, page.pointee.blockByteCount - BlockHeader.byteCount)
    }

    /// Takes `poisonBody` back.
    @inlinable @inline(__always)
    func unpoison(byteCount: Int) {
        guard sp_has_address_sanitizer() != 0 else { return }
        unsafe sp_unpoison(self, byteCount)
    }
}
