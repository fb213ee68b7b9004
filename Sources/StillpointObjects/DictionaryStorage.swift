// The storage of a dictionary: open addressing with linear probing, a power of two of entries.
//
//     header 16 | capacity 8 | entries, 24 each: hash 8 | key 8 | value 8
//
// E1  An entry's hash and value are written before its key [entry], and its key never changes. So the storage's probe
//     sequences only lengthen: a reader finds a key that was there when it began.
// E2  A storage always has an entry without a key: every probe ends.
//
// [entry]  an entry's hash and value, the key's bytes  ->  whoever loads its key

internal import Glibc
internal import StillpointMemory
internal import StillpointPlatform

/// An entry. All fields are atomic; stored under the dictionary's lock, the key last.
struct DictionaryEntry: ~Copyable {
    let hash: Atomic<UInt64>
    let key: Atomic<UInt>
    let value: Atomic<UInt>

    static var byteCount: Int { 24 }
    /// Which of its words are references.
    static var references: UInt32 { 0b110 }
}

enum DictionaryStorage {
    static var smallestCapacity: Int { 8 }

    /// A capacity for `count` entries with room for as many again at most.
    static func capacity(for count: Int) throws(OutOfMemory) -> Int {
        if count > 1 << 40 { throw OutOfMemory(requestedByteCount: .max) }  // before anything below overflows
        var capacity = smallestCapacity
        while count * 3 >= capacity * 2 { capacity *= 2 }
        return capacity
    }

    /// An empty storage.
    static func make(
        capacity: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        assert(capacity.nonzeroBitCount == 1, "a capacity is a power of two")
        let storage = try unsafe Allocation.makeZeroed(
            typeIndex: BuiltinType.dictionaryStorage, elementCount: capacity, by: thread)
        unsafe Allocation.finishMerged(storage, type: BuiltinType.dictionaryStorage, by: thread)
        return unsafe storage
    }

    @inline(__always)
    static func entry(of storage: ObjectPointer, at index: Int) -> UnsafeMutablePointer<DictionaryEntry> {
        unsafe (storage + 24 + index &* DictionaryEntry.byteCount)
            .assumingMemoryBound(to: DictionaryEntry.self)
    }

    /// The entry of a key. For readers, too: a key in a storage stays alive while anybody can be in the storage.
    static func find(
        _ bytes: UnsafeRawBufferPointer, hash: UInt64, in storage: ObjectPointer
    ) -> UnsafeMutablePointer<DictionaryEntry>? {
        let mask = unsafe Objects.variableCount(of: storage) &- 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = unsafe entry(of: storage, at: index)
            let key = unsafe entry.pointee.key.load(ordering: .acquiring)  // [entry]
            guard let key = unsafe ObjectPointer(bitPattern: key) else { return nil }
            if unsafe entry.pointee.hash.load(ordering: .relaxed) == hash,
                unsafe ManagedBytes.count(of: key) == bytes.count,
                unsafe bytes.isEmpty
                    || memcmp(bytes.baseAddress!, ManagedBytes.bytes(of: key).baseAddress!, bytes.count) == 0
            {
                return unsafe entry
            }
            index = (index &+ 1) & mask
        }
    }

    /// Puts a key that is not there into the first entry free for it. Counts belong to the storage from now on.
    static func insert(
        hash: UInt64, key: UInt, value: UInt, into storage: ObjectPointer
    ) {
        let mask = unsafe Objects.variableCount(of: storage) &- 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while unsafe entry(of: storage, at: index).pointee.key.load(ordering: .relaxed) != 0 {
            index = (index &+ 1) & mask
        }
        let entry = unsafe entry(of: storage, at: index)
        unsafe entry.pointee.hash.store(hash, ordering: .relaxed)
        unsafe entry.pointee.value.store(value, ordering: .relaxed)
        unsafe entry.pointee.key.store(key, ordering: .releasing)  // [entry]
    }

    /// Calls `body` with each entry that has a key. The lock is held, or the world stopped.
    static func visit(
        _ storage: ObjectPointer, _ body: (UnsafeMutablePointer<DictionaryEntry>) -> Void
    ) {
        for index in 0..<(unsafe Objects.variableCount(of: storage)) {
            let entry = unsafe entry(of: storage, at: index)
            if unsafe entry.pointee.key.load(ordering: .relaxed) != 0 { unsafe body(entry) }
        }
    }

    /// Copies an entry to another storage, with its counts.
    static func copy(_ entry: UnsafeMutablePointer<DictionaryEntry>, to storage: ObjectPointer) {
        unsafe insert(
            hash: entry.pointee.hash.load(ordering: .relaxed),
            key: entry.pointee.key.load(ordering: .relaxed),
            value: entry.pointee.value.load(ordering: .relaxed), into: storage)
    }
}
