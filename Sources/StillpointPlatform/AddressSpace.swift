// Address space in two steps, so that a heap can lie in one aligned range and grow in it without
// moving:
//
//              reserve             commit
//   unmapped ----------> reserved ---------> committed <--+
//       ^                 |    ^                |  |      | discard: memory back, reads zero
//       |     release     |    |    decommit    |  +------+
//       +-----------------+    +----------------+
//       +------------------- release -----------+
//
// Reserved addresses belong to the process, hold no memory and cannot be touched. Committed ones
// can; the system gives them memory at the first touch of a page, not before. Reservations are made
// without a claim on memory (MAP_NORESERVE), so `commit` succeeds where the system overcommits, as
// Linux does unless told otherwise; where it does not (vm.overcommit_memory = 2), `reserve` and
// `commit` fail early, and a claim ends with `release`, not with `decommit`.
//
// A range of a call is a part of one reservation: the start on a page, the count rounded up to
// whole pages. Different ranges may be changed from different threads at once.

internal import Glibc

/// Ranges of the process's addresses, reserved, committed and given back. All calls are
/// thread-safe.
public enum AddressSpace {
    /// The size of a page of the system, in bytes: a power of two.
    public static let pageByteCount: Int = sysconf(CInt(_SC_PAGESIZE))

    /// Reserves at least `byteCount` bytes at a multiple of `alignment` (a power of two; less than
    /// a page means a page). They hold no memory and cannot be touched until committed.
    ///
    /// Throws `ENOMEM` when the addresses, or the system's table of mappings, are used up, and
    /// `EINVAL` for a size below 1 or an alignment that is no power of two.
    public static func reserve(
        byteCount: Int, alignment: Int
    ) throws(PlatformError) -> UnsafeMutableRawPointer {
        guard byteCount > 0, alignment > 0, alignment.nonzeroBitCount == 1 else {
            throw PlatformError(call: "mmap", errorNumber: EINVAL)
        }
        // The kernel aligns to pages alone: take so much that an aligned range is in it, then give
        // the ends back.
        let slack = max(alignment, pageByteCount) - pageByteCount
        guard byteCount <= RawMemory.largestByteCount, slack <= RawMemory.largestByteCount else {
            throw PlatformError(call: "mmap", errorNumber: ENOMEM)
        }
        let wanted = wholePages(byteCount)
        let taken = try unsafe map(wanted + slack)
        let start = unsafe taken.alignedUp(toMultipleOf: max(alignment, pageByteCount))
        let front = unsafe start - taken
        let back = slack - front
        guard unsafe front == 0 || unmap(taken, front) else {
            let error = PlatformError.last("munmap")
            unsafe release(taken, byteCount: wanted + slack)
            throw error
        }
        guard unsafe back == 0 || unmap(start + wanted, back) else {
            let error = PlatformError.last("munmap")
            // Not the front again: another thread may have mapped something there by now.
            unsafe release(start, byteCount: wanted + back)
            throw error
        }
        return unsafe start
    }

    /// Makes a reserved range readable and writable. What was never touched, or was decommitted,
    /// reads zero; what is committed already stays as it is.
    ///
    /// Throws `ENOMEM` when the range is not all reserved (a part of it may have been changed by
    /// then) or memory is out, and `EINVAL` when it does not begin on a page.
    public static func commit(
        _ start: UnsafeMutableRawPointer, byteCount: Int
    ) throws(PlatformError) {
        try unsafe protect(start, byteCount: byteCount, PROT_READ | PROT_WRITE)
    }

    /// Gives the memory of a range back to the system and makes the range untouchable; its
    /// addresses stay reserved. Throws as `commit` does.
    public static func decommit(
        _ start: UnsafeMutableRawPointer, byteCount: Int
    ) throws(PlatformError) {
        try unsafe protect(start, byteCount: byteCount, PROT_NONE)
        guard unsafe advise(start, wholePages(byteCount), MADV_DONTNEED) else {
            throw .last("madvise")
        }
    }

    /// Gives the memory of a committed range back to the system. The range stays committed and
    /// reads zero. Pages locked into memory by the process (mlockall) cannot be given back and are
    /// zeroed instead.
    public static func discard(_ start: UnsafeMutableRawPointer, byteCount: Int) {
        guard byteCount > 0 else { return }
        let size = wholePages(byteCount)
        if unsafe advise(start, size, MADV_DONTNEED) { return }
        require(errno != ENOMEM, "discard of a range that is not reserved")
        unsafe memset(start, 0, size)
    }

    /// Ends a reservation, or a part of one: memory and addresses go back to the system.
    ///
    /// Should the system have no room in its table of mappings to cut the range out of a larger
    /// one, the memory goes back all the same and only the addresses stay taken.
    public static func release(_ start: UnsafeMutableRawPointer, byteCount: Int) {
        guard byteCount > 0 else { return }
        let size = wholePages(byteCount)
        if unsafe unmap(start, size) { return }
        require(errno == ENOMEM, "release of a range that does not begin on a page")
        FailurePoint.note(reservedBytes: -size)  // its owner has let go of it
        _ = unsafe advise(start, size, MADV_DONTNEED)
    }

    /// Asks the system to back a range with huge pages when it can: the first touch gets cheaper,
    /// and so do misses of the address cache. Only a wish; the result says whether the system took
    /// it.
    @discardableResult
    public static func adviseHugePages(_ start: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
        unsafe advise(start, wholePages(byteCount), MADV_HUGEPAGE)
    }

    private static func protect(
        _ start: UnsafeMutableRawPointer, byteCount: Int, _ protection: CInt
    ) throws(PlatformError) {
        guard byteCount >= 0 else { throw PlatformError(call: "mprotect", errorNumber: EINVAL) }
        guard byteCount <= RawMemory.largestByteCount else {
            throw PlatformError(call: "mprotect", errorNumber: ENOMEM)
        }
        if FailurePoint.fails(.commitment) {
            throw PlatformError(call: "mprotect", errorNumber: ENOMEM)
        }
        guard unsafe mprotect(start, wholePages(byteCount), protection) == 0 else {
            throw .last("mprotect")
        }
    }

    // MARK: The system's calls; where one that says so by `errno` fails by a plan, so does it

    private static func map(_ byteCount: Int) throws(PlatformError) -> UnsafeMutableRawPointer {
        if FailurePoint.fails(.reservation) { throw PlatformError(call: "mmap", errorNumber: ENOMEM) }
        let taken = unsafe mmap(
            nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let taken = unsafe taken, Int(bitPattern: taken) != -1 else { throw .last("mmap") }
        FailurePoint.note(reservedBytes: byteCount)
        return unsafe taken
    }

    private static func unmap(_ start: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
        if FailurePoint.fails(.unmapping) {
            errno = ENOMEM
            return false
        }
        guard unsafe munmap(start, byteCount) == 0 else { return false }
        FailurePoint.note(reservedBytes: -byteCount)
        return true
    }

    private static func advise(
        _ start: UnsafeMutableRawPointer, _ byteCount: Int, _ advice: CInt
    ) -> Bool {
        if FailurePoint.fails(.advice) {
            errno = EAGAIN
            return false
        }
        return unsafe madvise(start, byteCount, advice) == 0
    }

    private static func wholePages(_ byteCount: Int) -> Int {
        (byteCount + pageByteCount - 1) & ~(pageByteCount - 1)
    }
}
