// What Seam.swift has, without the seam: `Synchronization.Atomic` and the C functions themselves.

import CStillpoint
import Synchronization

typealias Word = Synchronization.Atomic<UInt32>

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
    word.assumingMemoryBound(to: Word.self).pointee.load(ordering: .relaxed) & 4 == 0
}

@c(probe_spin) public func probeSpin() { sp_spin_hint() }

@c(probe_identity) public func probeIdentity() -> UInt { UInt(sp_os_thread_identity()) }

@c(probe_reader) public func probeReader() -> UInt { UInt(sp_reader_number()) }

@c(probe_online) public func probeOnline() { sp_rcu_online() }

@c(probe_offline) public func probeOffline() { sp_rcu_offline() }

@c(probe_announce) public func probeAnnounce() { sp_rcu_quiescent_state() }
