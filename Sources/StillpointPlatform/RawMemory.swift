// Memory of the C allocator for the runtime's own structures (records, tables, start blocks).
// Swift's own allocations trap when memory is out; these throw. Blocks of the managed heap come
// from floor 3, whole address ranges from `AddressSpace`.

internal import Glibc

/// Zeroed memory from the C allocator, which says when there is none. Any thread may free what
/// another has allocated.
public enum RawMemory {
    /// No address space holds more: asked for more, `allocate` fails without asking the C
    /// allocator, some of which end the process rather than return null.
    static let largestByteCount = 1 << 56

    /// What malloc aligns to on every 64-bit system of ours.
    static let naturalAlignment = 16

    /// `byteCount` bytes of zeros at a multiple of `alignment`. Zero bytes give a block of their
    /// own, too.
    ///
    /// Throws `ENOMEM` when there is no memory, `EINVAL` for a negative size or an alignment that
    /// is no power of two.
    public static func allocate(
        byteCount: Int, alignment: Int = 16
    ) throws(PlatformError) -> UnsafeMutableRawPointer {
        guard byteCount >= 0, alignment > 0, alignment.nonzeroBitCount == 1 else {
            throw PlatformError(call: "malloc", errorNumber: EINVAL)
        }
        guard byteCount <= largestByteCount, alignment <= largestByteCount else {
            throw PlatformError(call: "malloc", errorNumber: ENOMEM)
        }
        if FailurePoint.fails(.memory) { throw PlatformError(call: "calloc", errorNumber: ENOMEM) }
        let block = try unsafe claim(max(byteCount, 1), alignment)
        FailurePoint.note(blocks: 1)
        return unsafe block
    }

    private static func claim(
        _ size: Int, _ alignment: Int
    ) throws(PlatformError) -> UnsafeMutableRawPointer {
        if alignment <= naturalAlignment {
            guard let block = unsafe calloc(1, size) else {
                throw PlatformError(call: "calloc", errorNumber: ENOMEM)
            }
            unsafe noteAllocation(block, byteCount: size)
            return unsafe block
        }
        var block: UnsafeMutableRawPointer?
        let failure = unsafe posix_memalign(&block, alignment, size)
        guard failure == 0, let block = unsafe block else {
            throw PlatformError(call: "posix_memalign", errorNumber: failure)
        }
        unsafe noteAllocation(block, byteCount: size)
        unsafe memset(block, 0, size)
        return unsafe block
    }

    /// Gives a block of `allocate` back; nothing for `nil`.
    public static func free(_ block: UnsafeMutableRawPointer?) {
        guard let block = unsafe block else { return }
        unsafe noteRelease(block)
        FailurePoint.note(blocks: -1)
        unsafe Glibc.free(block)
    }
}
