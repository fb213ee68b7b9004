// The distinct words of one document with their counts: a table of one thread, used again for each
// document. Words are counted here, so that what threads share is touched once a distinct word.
//
// Open addressing over the entries' numbers; the entries stand in the order in which their words
// first came. Memory is the C library's: it grows by doubling, and a table that one big document
// made big is given back with the next.
import Foundation
import Stillpoint

struct DocumentWords: ~Copyable {
    struct Entry {
        /// The dictionary's, so that it is computed once.
        var hash: UInt64
        /// Where the word's bytes begin.
        var offset: Int
        var count: Int
        var byteCount: Int
    }

    private static let firstCapacity = 256
    private static let largestKeptCapacity = 1 << 18

    /// A power of two, at least double the entries.
    private var slotCapacity = firstCapacity * 2
    /// Entry number plus one; 0 is empty.
    private var slots: UnsafeMutablePointer<UInt32>
    private var entryCapacity = firstCapacity
    private var entries: UnsafeMutablePointer<Entry>
    private var byteCapacity = firstCapacity * 16
    private var bytes: UnsafeMutablePointer<UInt8>
    private var byteCount = 0

    /// Distinct words.
    private(set) var count = 0
    /// All words, each as often as it occurs.
    private(set) var tokenCount = 0
    /// Those of them of which only the first 64 bytes count.
    private(set) var cutCount = 0
    /// Depends on each word in the text and on their order: a text that changed has another one.
    private(set) var textHash: UInt64 = 0

    init() {
        slots = Self.allocate(slotCapacity)
        slots.initialize(repeating: 0, count: slotCapacity)
        entries = Self.allocate(entryCapacity)
        bytes = Self.allocate(byteCapacity)
    }

    deinit {
        free(slots)
        free(entries)
        free(bytes)
    }

    @inline(__always)
    mutating func add(_ word: UnsafePointer<UInt8>, _ wordByteCount: Int, isCut: Bool = false) {
        let hash = BytesHash.of(UnsafeRawBufferPointer(start: word, count: wordByteCount))
        tokenCount &+= 1
        textHash = (textHash &* 0x9E37_79B9_7F4A_7C15) ^ hash
        if isCut { cutCount &+= 1 }
        var slot = Int(truncatingIfNeeded: hash) & (slotCapacity - 1)
        while true {
            let number = slots[slot]
            if number == 0 { return insert(word, wordByteCount, hash, slot) }
            let entry = entries + Int(number &- 1)
            if entry.pointee.hash == hash, entry.pointee.byteCount == wordByteCount,
                memcmp(bytes + entry.pointee.offset, word, wordByteCount) == 0
            {
                entry.pointee.count &+= 1
                return
            }
            slot = (slot &+ 1) & (slotCapacity - 1)
        }
    }

    /// `index` is below `count`.
    @inline(__always)
    func entry(_ index: Int) -> Entry {
        assert(index < count)
        return entries[index]
    }

    /// The word's bytes; valid until the next word is added.
    @inline(__always)
    func text(_ entry: Entry) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: bytes + entry.offset, count: entry.byteCount)
    }

    /// Empty again.
    mutating func removeAll() {
        if entryCapacity > Self.largestKeptCapacity || byteCapacity > Self.largestKeptCapacity * 16 {
            self = DocumentWords()
            return
        }
        if count < slotCapacity / 16 {
            for index in 0..<count { clearSlot(of: index) }
        } else {
            slots.update(repeating: 0, count: slotCapacity)
        }
        count = 0
        byteCount = 0
        tokenCount = 0
        cutCount = 0
        textHash = 0
    }

    // MARK: - Slots

    @inline(never)
    private mutating func insert(
        _ word: UnsafePointer<UInt8>, _ wordByteCount: Int, _ hash: UInt64, _ slot: Int
    ) {
        precondition(count < Int(UInt32.max) - 1)
        if byteCount + wordByteCount > byteCapacity {
            bytes = Self.grow(bytes, byteCount, &byteCapacity)
        }
        if count == entryCapacity { entries = Self.grow(entries, count, &entryCapacity) }
        memcpy(bytes + byteCount, word, wordByteCount)
        (entries + count).initialize(
            to: Entry(hash: hash, offset: byteCount, count: 1, byteCount: wordByteCount))
        byteCount += wordByteCount
        count += 1
        slots[slot] = UInt32(count)
        if count * 2 > slotCapacity { growSlots() }
    }

    private mutating func growSlots() {
        free(slots)
        slotCapacity *= 2
        slots = Self.allocate(slotCapacity)
        slots.initialize(repeating: 0, count: slotCapacity)
        for index in 0..<count {
            var slot = Int(truncatingIfNeeded: entries[index].hash) & (slotCapacity - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (slotCapacity - 1) }
            slots[slot] = UInt32(index + 1)
        }
    }

    /// Only when every entry's slot is cleared: a hole would hide what stands behind it.
    private mutating func clearSlot(of index: Int) {
        var slot = Int(truncatingIfNeeded: entries[index].hash) & (slotCapacity - 1)
        while slots[slot] != UInt32(index + 1) { slot = (slot + 1) & (slotCapacity - 1) }
        slots[slot] = 0
    }

    // MARK: - Memory

    private static func allocate<Element>(_ capacity: Int) -> UnsafeMutablePointer<Element> {
        guard let memory = malloc(capacity * MemoryLayout<Element>.stride) else {
            fatalError("no memory for \(capacity) words of a document")
        }
        return memory.assumingMemoryBound(to: Element.self)
    }

    private static func grow<Element>(
        _ memory: UnsafeMutablePointer<Element>, _ count: Int, _ capacity: inout Int
    ) -> UnsafeMutablePointer<Element> {
        capacity *= 2
        let larger: UnsafeMutablePointer<Element> = allocate(capacity)
        memcpy(larger, memory, count * MemoryLayout<Element>.stride)
        free(memory)
        return larger
    }
}
