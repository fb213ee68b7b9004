// Memory that the threads of a scenario share on purpose.
//
// Plain fields that a lock guards lie in a `Shared` of their own, not beside the lock: ThreadSanitizer takes a change in
// place (`pointer.pointee.count += 1`) for a write to the first byte of the whole value, and would report it against
// an atomic that begins there.

import StillpointPlatform

/// One value in raw memory, reached by pointer from every thread. The scenario's protocol says who may touch what.
struct Shared<Value: ~Copyable>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Value>

    init(_ value: consuming Value) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: value)
    }

    /// Gives the memory back. Nobody touches it any more.
    func destroy() {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }
}
