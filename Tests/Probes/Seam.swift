// What floor 1's seam gives to protocol code, one C function each. Bare.swift has the same without the seam. A test of the
// repository builds both in release mode and compares their machine code: in an ordinary build the seam must cost nothing.

import StillpointPlatform

typealias Word = StillpointPlatform.Atomic<UInt32>

@c(probe_load) public func probeLoad(_ word: UnsafeRawPointer) -> UInt32 {
    word.assumingMemoryBound(to: Word.self).pointee.load(ordering: .acquiring)
}

@c(probe_store) public func probeStore(_ word: UnsafeRawPointer, _ value: UInt32) {
    word.assumingMemoryBound(to: Word.self).pointee.store(value, ordering: .releasing)
}

@c(probe_exchange) public func probeExchange(_ word: UnsafeRawPointer, _ old: UInt32, _ new: UInt32) -> Bool {
    word.assumingMemoryBound(to: Word.self).pointee
        .compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
}

@c(probe_recheck) public func probeRecheck(_ word: UnsafeRawPointer) -> Bool {
    recheck("probe", word.assumingMemoryBound(to: Word.self).pointee.load(ordering: .relaxed) & 4 == 0)
}

@c(probe_spin) public func probeSpin() { spinHint() }

@c(probe_identity) public func probeIdentity() -> UInt { CallingThread.identity }

@c(probe_reader) public func probeReader() -> UInt { CallingThread.readerNumber }

@c(probe_online) public func probeOnline() { Quiescence.goOnline() }

@c(probe_offline) public func probeOffline() { Quiescence.goOffline() }

@c(probe_announce) public func probeAnnounce() { Quiescence.announce() }
