// Sweeping: every object that is not marked is freed where it lies, page by page; what has a destroy function is doomed
// and waits for the end of the pause. World stopped; one thread sweeps.
//
// A trash object's references to kept objects are uncounted (K3). Its references to other trash are not looked at: the
// mark bits tell the two apart, so it does not matter which trash object is freed first.

internal import StillpointPlatform
internal import StillpointMemory
internal import StillpointObjects

extension UnsafeMutablePointer where Pointee == CollectorState {
    /// Frees what is not marked; returns what is to be destroyed after the pause.
    func sweep(_ report: inout CollectionReport) -> Doomed {
        var doomed = Doomed()
        unsafe heap.visitPages { page in
            unsafe sweep(page, &doomed, &report)
            return true
        }
        return doomed
    }

    private func sweep(
        _ page: UnsafeMutablePointer<Page>, _ doomed: inout Doomed, _ report: inout CollectionReport
    ) {
        let size = unsafe page.pointee.blockByteCount
        unsafe page.visitBlocks { object in
            if unsafe CollectorBits.isPassedBy(object) { return }
            report.objectsFound += 1
            if unsafe MarkBits.isMarked(object) {
                report.bytesKept += size
                return
            }
            report.objectsFreed += 1
            report.bytesFreed += size
            if unsafe Counting.count(of: object) != 0 { report.cyclicObjectsFreed += 1 }
            let isDoomed = unsafe Destruction.hasDestroyFunction(object, in: types)
            unsafe dropReferences(of: object, clearing: isDoomed)
            if isDoomed {
                unsafe doomed.add(object)
            } else {
                unsafe page.freeStopped(object)
            }
        }
    }

    /// Uncounts the kept objects that a trash object refers to.
    @inline(__always)
    private func dropReferences(of object: ObjectPointer, clearing: Bool) {
        unsafe Objects.visitReferences(of: object, in: types) { slot in
            guard let child = unsafe slot.loadObject() else { return }
            if unsafe MarkBits.isMarked(child) { unsafe Self.uncount(child) }
            // relaxed: nobody refers to the object any more
            if clearing { unsafe slot.pointee.store(0, ordering: .relaxed) }
        }
    }
}

extension UnsafeMutablePointer where Pointee == CollectorState {
    /// Takes one count from a kept object, and leaves it with the owner it has. The count does not become zero: what is
    /// kept has a handle, or a reference from what is kept, too.
    private static func uncount(_ object: ObjectPointer) {
        let header = unsafe BlockHeader.of(object)
        // relaxed: the world is stopped
        let owner = unsafe header.pointee.owner.load(ordering: .relaxed)
        let shared = unsafe header.pointee.shared.load(ordering: .relaxed)
        let identifier = OwnerWord.identifier(owner)
        if identifier == OwnerWord.immortalIdentifier || SharedWord.isSaturated(shared) { return }
        let isMerged = identifier == 0
        if isMerged || SharedWord.count(shared) > 0 {
            assert(!isMerged || SharedWord.count(shared) > 1, "K3: a kept object that only trash refers to")
            unsafe header.pointee.shared.store(shared &- SharedWord.one, ordering: .relaxed)
        } else {
            assert(OwnerWord.localCount(owner) > 1, "K3: a kept object that only trash refers to")
            unsafe header.pointee.owner.store(owner &- OwnerWord.one, ordering: .relaxed)
        }
    }
}

/// The doomed objects of one collection (K4): a list through word 0 of their headers, in the form that free blocks use.
/// The collecting thread's, from the sweep to the last destroy function.
@safe
struct Doomed {
    private var first: ObjectPointer?

    init() { unsafe first = nil }

    /// Makes a trash object, with its references dropped and null, a doomed one.
    mutating func add(_ object: ObjectPointer) {
        let header = unsafe BlockHeader.of(object)
        // Relaxed: a late reader that looks at the header finds no count to retain, whichever write it sees, and the
        // world is stopped.
        unsafe header.pointee.shared.store(BlockHeader.freeShared, ordering: .relaxed)
        unsafe header.pointee.owner.store(Self.link(to: first), ordering: .relaxed)
        let type = unsafe header.pointee.type.load(ordering: .relaxed)
        unsafe header.pointee.type.store(type | CollectorBits.doomed, ordering: .relaxed)
        unsafe first = object
    }

    /// Runs the destroy functions, which must not wait, and frees the blocks. `thread` is attached; the world runs.
    func destroyAll(
        of state: UnsafeMutablePointer<CollectorState>, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> Int {
        var count = 0
        var next = unsafe first
        while let object = unsafe next {
            // relaxed: written by this thread
            let link = unsafe BlockHeader.of(object).pointee.owner.load(ordering: .relaxed)
            unsafe next = ObjectPointer(bitPattern: UInt(link &>> 12))
            unsafe thread.record.banWaiting()
            unsafe Destruction.runDestroyFunction(of: object, in: state.types)
            unsafe thread.record.allowWaiting()
            unsafe ThreadHeap.free(object, by: thread.heap)
            count += 1
        }
        return count
    }

    /// (address / 16) << 16: bits 0 ..< 16 are 0, nobody's.
    private static func link(to object: ObjectPointer?) -> UInt64 {
        UInt64(UInt(bitPattern: object)) &<< 12
    }
}
