// What is done with a whole heap while the interpreter's world is stopped: every page visited, whatever its state; what
// threads have freed for one another collected, so that it is usable without the owner; empty pages given back.
// A stop is a grace period: whoever looks at an object without having retained it does so between two safepoints (P6).

internal import StillpointPlatform

extension UnsafeMutablePointer where Pointee == InterpreterHeap {
    /// Calls `body` with each page, owned, full, abandoned, empty or of one large block, in address order, until it
    /// returns false. Whether it never did. World stopped. `body` may free blocks; pages stay as they are.
    @discardableResult
    public func visitPages(_ body: (UnsafeMutablePointer<Page>) -> Bool) -> Bool {
        var segment = unsafe pointee.firstSegment
        while let here = unsafe segment {
            unsafe segment = here.pointee.next
            var starts = unsafe here.pointee.pageStarts
            while starts != 0 {
                let index = starts.trailingZeroBitCount
                starts &= starts &- 1
                if unsafe !body(here.page(index)) { return false }
            }
        }
        return true
    }

    /// Unmarks every block. World stopped.
    public func clearMarks() {
        unsafe visitPages { page in
            unsafe MarkBits.clear(page)
            return true
        }
    }

    /// Makes what threads have freed for one another usable, files every page by what is free in it, and gives empty
    /// pages back, all but one a class and heap. World stopped. No system call is made here: `purge`
    /// afterwards gives the memory back to the operating system.
    public func collectCrossThreadFrees() { unsafe refilePages(isPurging: false) }

    /// As `collectCrossThreadFrees`, and the empty pages that threads keep are given back, too; then all free memory
    /// goes to the operating system. World stopped.
    public func purgeStopped() {
        unsafe refilePages(isPurging: true)
        unsafe purge()
    }

    private func refilePages(isPurging: Bool) {
        unsafe visitPages { page in
            let owner = unsafe page.pointee.owner.load(ordering: .relaxed)  // [stop]
            if let heap = unsafe UnsafeMutablePointer<ThreadHeap>(bitPattern: owner) {
                unsafe refile(page, of: heap, isPurging: isPurging)
            } else {
                unsafe refileUnowned(page)
            }
            return true
        }
    }

    private func refileUnowned(_ page: UnsafeMutablePointer<Page>) {
        unsafe page.takeCrossThreadFrees()
        guard unsafe page.isEmpty else { return }
        unsafe locked {
            if unsafe page.pointee.state == .freedSingle {
                unsafe pointee.freedSingles.remove(page)
            } else if unsafe page.pointee.state == .abandoned {
                unsafe pointee.abandoned[page.pointee.classIndex].remove(page)
            } else {
                unsafe assert(page.pointee.state == .single)  // freed by `freeStopped`
            }
            unsafe giveBack(page)
        }
    }

    private func refile(
        _ page: UnsafeMutablePointer<Page>, of heap: UnsafeMutablePointer<ThreadHeap>, isPurging: Bool
    ) {
        unsafe page.takeCrossThreadFrees()
        let index = unsafe page.pointee.classIndex
        switch unsafe page.pointee.state {
        case .current:
            if isPurging { unsafe page.putBackFreeList() }
            guard unsafe isPurging && page.isEmpty else { return }
            unsafe heap.pointee.current[index] = absentPage
        case .kept:
            guard isPurging else { return }
            unsafe heap.pointee.classes[index].kept = nil
        case .available where unsafe page.isEmpty:
            unsafe heap.pointee.classes[index].available.remove(page)
        case .full where unsafe page.isEmpty:
            unsafe heap.pointee.classes[index].full.remove(page)
        case .full where unsafe page.pointee.localFreeList != nil:
            unsafe heap.pointee.classes[index].full.remove(page)
            return unsafe heap.file(page, as: .available)
        default:
            return
        }
        if unsafe !isPurging && heap.pointee.classes[index].kept == nil {
            return unsafe heap.file(page, as: .kept)
        }
        unsafe page.pointee.owner.store(0, ordering: .relaxed)  // [stop]
        unsafe locked { unsafe giveBack(page) }
    }
}
