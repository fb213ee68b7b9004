// Threads of the operating system. `Seam.swift` names them `SystemThread` for everybody else.
//
// A start costs little more than pthread_create: one small block of the C allocator hands name,
// body and argument over to the new thread, which frees it before the body runs; if the thread
// cannot be made, the starter frees it. The affinity is an attribute of the start, so an impossible
// processor fails the start, and the body never runs elsewhere. The name is set by the new thread
// itself: from outside it would take a file of /proc and could miss a thread that is gone.

internal import CStillpoint
internal import Glibc

/// A thread of the operating system, to be joined or detached exactly once.
public struct PosixThread: Sendable {
    private let handle: pthread_t  // immutable

    /// Starts a thread that runs `body(argument)` and ends when it returns. What the starter wrote
    /// before, the body sees.
    ///
    /// - Parameters:
    ///   - name: as debuggers and `ps -L` show it, cut to whole characters of at most 15 bytes of
    ///     UTF-8; empty: the starter's.
    ///   - stackByteCount: `nil`: the system's default (the limit of the shell, 8 MiB as a rule).
    ///   - processor: the only processor that the thread may run on, counted from 0; `nil`: those
    ///     of the starter.
    ///   - argument: what it points to must live until the body is done with it.
    ///
    /// Throws `EINVAL` for a stack that is too small or a processor that is not there, `EAGAIN`
    /// when the system's threads or the memory for stacks are used up, `ENOMEM` when memory is out.
    /// Nothing is left behind then.
    public static func start(
        name: String, stackByteCount: Int? = nil, processor: Int? = nil,
        argument: UnsafeMutableRawPointer?,
        body: @convention(c) (UnsafeMutableRawPointer?) -> Void
    ) throws(PlatformError) -> PosixThread {
        let block = try unsafe RawMemory.allocate(byteCount: MemoryLayout<StartBlock>.size)
        let plan = unsafe FailurePoint.keepForNewThread()
        unsafe block.initializeMemory(
            as: StartBlock.self,
            to: StartBlock(body: body, argument: argument, name: cut(name), failurePlan: plan))
        do throws(PlatformError) {
            guard stackByteCount != nil || processor != nil else {
                return try unsafe create(nil, block)
            }
            var attributes = pthread_attr_t()
            if FailurePoint.fails(.threadAttributes) {
                throw PlatformError(call: "pthread_attr_init", errorNumber: ENOMEM)
            }
            try unsafe check("pthread_attr_init", pthread_attr_init(&attributes))
            defer { unsafe pthread_attr_destroy(&attributes) }
            if let stackByteCount {
                try unsafe check(
                    "pthread_attr_setstacksize",
                    pthread_attr_setstacksize(&attributes, max(stackByteCount, 0)))
            }
            if let processor {
                try unsafe check(
                    "pthread_attr_setaffinity_np",
                    sp_set_start_affinity(&attributes, CInt(clamping: processor)))
            }
            return try unsafe create(&attributes, block)
        } catch {
            unsafe FailurePoint.letGo(plan)
            unsafe RawMemory.free(block)
            throw error
        }
    }

    /// Waits until the thread has ended. What it wrote, the caller sees. Not on the thread itself.
    public func join() {
        let failure = pthread_join(handle, nil)
        require(failure == 0, "join of a thread by itself, or of one joined or detached before")
    }

    /// Lets the thread end by itself: nobody joins it.
    public func detach() {
        let failure = pthread_detach(handle)
        require(failure == 0, "detach of a thread joined or detached before")
    }

    /// Offers the processor to another thread that is ready to run.
    public static func yield() {
        sched_yield()
    }

    /// Sleeps until `MonotonicClock` reaches `deadline`, and no shorter.
    public static func sleep(untilNanoseconds deadline: UInt64) {
        var time = timespec()
        time.tv_sec = .init(deadline / 1_000_000_000)
        time.tv_nsec = .init(deadline % 1_000_000_000)
        while unsafe clock_nanosleep(CLOCK_MONOTONIC, CInt(TIMER_ABSTIME), &time, nil) == EINTR {}
    }

    // MARK: The starter's side

    private static func create(
        _ attributes: UnsafePointer<pthread_attr_t>?, _ block: UnsafeMutableRawPointer
    ) throws(PlatformError) -> PosixThread {
        if FailurePoint.fails(.threadStart) {
            throw PlatformError(call: "pthread_create", errorNumber: EAGAIN)
        }
        var handle = pthread_t()
        try unsafe check("pthread_create", pthread_create(&handle, attributes, runBody, block))
        return PosixThread(handle: handle)
    }

    private static func check(_ call: StaticString, _ failure: CInt) throws(PlatformError) {
        guard failure == 0 else { throw PlatformError(call: call, errorNumber: failure) }
    }

    /// As many whole characters of `name` as fit in 15 bytes, and zeros after them.
    private static func cut(_ name: String) -> (UInt64, UInt64) {
        var bytes: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &bytes) { space in
            var used = 0
            for scalar in name.unicodeScalars {
                let units = UTF8.encode(scalar)!
                guard used + units.count <= 15 else { break }
                for unit in units {
                    unsafe space[used] = unit
                    used += 1
                }
            }
        }
        return bytes
    }
}

// MARK: The new thread's side

/// What the starter hands to the new thread: written before the thread is made, read and freed by
/// it.
@unsafe private struct StartBlock {
    let body: @convention(c) (UnsafeMutableRawPointer?) -> Void  // immutable
    let argument: UnsafeMutableRawPointer?  // immutable
    let name: (UInt64, UInt64)  // immutable; 15 bytes of UTF-8 at most, and zeros
    let failurePlan: UnsafeMutableRawPointer?  // immutable; kept for the thread (FailurePoint.swift)
}

private func runBody(_ block: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let start = unsafe block!.assumingMemoryBound(to: StartBlock.self).move()
    unsafe sp_set_failure_plan(start.failurePlan)
    unsafe RawMemory.free(block)
    if unsafe start.name != (0, 0) {
        unsafe withUnsafeBytes(of: start.name) { bytes in
            unsafe sp_set_thread_name(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
        }
    }
    unsafe start.body(start.argument)
    sp_set_failure_plan(nil)
    unsafe FailurePoint.letGo(start.failurePlan)
    return nil
}
