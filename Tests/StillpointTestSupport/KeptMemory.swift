// Memory of tests that lives to the end of the process, because a late thread may look at it, or because it is what the test
// leaks on purpose. It stays reachable, so that LeakSanitizer tells it from what was forgotten.

import Synchronization

private let keptAddresses = Mutex<[UInt]>([])

/// Keeps what lies at `address` reachable until the process ends.
public func keepForever(_ address: UnsafeRawPointer) {
    keptAddresses.withLock { $0.append(UInt(bitPattern: address)) }
}
