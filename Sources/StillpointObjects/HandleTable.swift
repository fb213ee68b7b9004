// Handles: roots that an embedder holds. A handle is a slot in a chunk of the interpreter's, which holds the object's
// address and one count of it. A collector visits the slots, and one that moves objects changes them.
//
//   free (in a thread state's list) ---take---> held ---give---> free (in the giver's list)
//        ^                                                             |
//        +----------- the interpreter's list, when there are many -----+
//
// K1  A slot is an object's address, 0, or a link to a free slot, whose lowest bit is 1.
// K2  A chunk stays until the interpreter ends. Its first word says whose it is.
// K3  Slots change by attached threads alone, so in a pause they stand still.

internal import StillpointMemory
internal import StillpointPlatform
internal import StillpointSynchronization
public import StillpointThreads

/// A free slot as it is linked: the address of the next with the lowest bit set.
@usableFromInline
typealias HandleSlotLink = UInt

extension HandleSlotLink {
    /// The link of the last one.
    @usableFromInline static var end: UInt { 1 }
}

/// The chunks of an interpreter.
@usableFromInline @unsafe
struct HandleTable: ~Copyable {
    /// A head; 8-byte slots follow it. At a multiple of its size, so that a slot finds it.
    @safe
    @usableFromInline
    struct Chunk {
        /// Whose it is; nil when the interpreter is no more.
        @usableFromInline var interpreter: UnsafeMutablePointer<InterpreterObjects>?
        var next: UnsafeMutablePointer<Chunk>?
        @inlinable static var byteCount: Int { 4096 }
        static let capacity = (byteCount - 16) / 8
    }

    /// Guards what follows. A leaf but for memory of the C allocator.
    let lock: ParkingMutex
    /// guarded by lock
    var first: UnsafeMutablePointer<Chunk>?
    /// Free slots that no thread state has. guarded by lock
    var free: HandleSlotLink

    init() {
        unsafe lock = ParkingMutex()
        unsafe first = nil
        unsafe free = HandleSlotLink.end
    }

    /// A thread state with this many free slots gives half of them to the interpreter.
    @usableFromInline static var largestFreeCount: Int { 2 * Chunk.capacity }

    static func slots(of chunk: UnsafeMutablePointer<Chunk>) -> UnsafeMutablePointer<UInt> {
        unsafe (UnsafeMutableRawPointer(chunk) + MemoryLayout<Chunk>.stride)
            .assumingMemoryBound(to: UInt.self)
    }

    /// Whose handle a slot is; nil: its interpreter is no more.
    @inlinable @inline(__always)
    static func interpreter(of slot: ObjectSlot) -> UnsafeMutablePointer<InterpreterObjects>? {
        let address = UInt(bitPattern: slot) & ~UInt(Chunk.byteCount - 1)
        return unsafe UnsafeMutablePointer<Chunk>(bitPattern: address)!.pointee.interpreter
    }

    // MARK: Slots

    /// A slot that holds `object`, if any yet; nil: no memory.
    @usableFromInline
    static func take(
        holding object: ObjectPointer?, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> ObjectSlot? {
        if unsafe thread.own.pointee.freeHandles == HandleSlotLink.end, unsafe !refill(thread) { return nil }
        let slot = unsafe UnsafeMutablePointer<UInt>(bitPattern: thread.own.pointee.freeHandles & ~1)!
        unsafe thread.own.pointee.freeHandles = slot.pointee
        unsafe thread.own.pointee.freeHandleCount -= 1
        unsafe slot.pointee = UInt(bitPattern: object)
        return unsafe UnsafeMutableRawPointer(slot)
            .assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    /// Frees a slot. What it held is the caller's.
    @usableFromInline
    static func give(_ slot: ObjectSlot, by thread: UnsafeMutablePointer<ObjectThread>) {
        let word = unsafe UnsafeMutableRawPointer(slot).assumingMemoryBound(to: UInt.self)
        unsafe word.pointee = thread.own.pointee.freeHandles
        unsafe thread.own.pointee.freeHandles = UInt(bitPattern: word) | 1
        unsafe thread.own.pointee.freeHandleCount += 1
        if unsafe thread.own.pointee.freeHandleCount >= largestFreeCount {
            unsafe giveBack(Chunk.capacity, of: thread)
        }
    }

    /// Gets free slots for a thread state: from the interpreter, or in a new chunk. False: no memory.
    @inline(never)
    private static func refill(_ thread: UnsafeMutablePointer<ObjectThread>) -> Bool {
        require(
            unsafe Attachment.current == thread.record, "a handle taken by a thread state that is not attached here")
        let table = unsafe thread.interpreter.handles
        unsafe table.pointee.lock.lock()
        defer { unsafe table.pointee.lock.unlock() }
        if unsafe table.pointee.free == HandleSlotLink.end {
            guard unsafe addChunk(to: table, of: thread.interpreter) else { return false }
        }
        var count = 0
        while count < Chunk.capacity,
            let slot = unsafe UnsafeMutablePointer<UInt>(bitPattern: table.pointee.free & ~1)
        {
            unsafe table.pointee.free = slot.pointee
            unsafe slot.pointee = thread.own.pointee.freeHandles
            unsafe thread.own.pointee.freeHandles = UInt(bitPattern: slot) | 1
            count += 1
        }
        unsafe thread.own.pointee.freeHandleCount += count
        return true
    }

    private static func addChunk(
        to table: UnsafeMutablePointer<HandleTable>, of interpreter: UnsafeMutablePointer<InterpreterObjects>
    ) -> Bool {
        guard let memory = unsafe try? RawMemory.allocate(
            byteCount: Chunk.byteCount, alignment: Chunk.byteCount) else { return false }
        let chunk = unsafe memory.bindMemory(to: Chunk.self, capacity: 1)
        unsafe chunk.initialize(to: Chunk(interpreter: interpreter, next: table.pointee.first))
        unsafe table.pointee.first = chunk
        let slots = unsafe slots(of: chunk)
        for index in stride(from: Chunk.capacity - 1, through: 0, by: -1) {
            unsafe slots[index] = table.pointee.free
            unsafe table.pointee.free = UInt(bitPattern: slots + index) | 1
        }
        return true
    }

    /// Gives `count` free slots of a thread state to the interpreter.
    @inline(never)
    static func giveBack(_ count: Int, of thread: UnsafeMutablePointer<ObjectThread>) {
        let table = unsafe thread.interpreter.handles
        unsafe table.pointee.lock.lock()
        for _ in 0..<count {
            let link = unsafe thread.own.pointee.freeHandles
            let slot = unsafe UnsafeMutablePointer<UInt>(bitPattern: link & ~1)!
            unsafe thread.own.pointee.freeHandles = slot.pointee
            unsafe slot.pointee = table.pointee.free
            unsafe table.pointee.free = link
        }
        unsafe table.pointee.lock.unlock()
        unsafe thread.own.pointee.freeHandleCount -= count
    }
}

extension UnsafeMutablePointer where Pointee == HandleTable {
    /// Calls `body` with every slot that holds an object. World stopped (K3).
    func visit(_ body: (ObjectSlot) -> Void) {
        var next = unsafe pointee.first
        while let chunk = unsafe next {
            unsafe next = chunk.pointee.next
            let slots = unsafe HandleTable.slots(of: chunk)
            for index in 0..<HandleTable.Chunk.capacity where unsafe slots[index] != 0 && slots[index] & 1 == 0 {
                unsafe body(
                    UnsafeMutableRawPointer(slots + index)
                        .assumingMemoryBound(to: UnsafeMutableRawPointer?.self))
            }
        }
    }

    /// Frees the chunks that no handle is held in; leaves the others without an interpreter. Returns how many handles
    /// are held.
    func freeChunks() -> Int {
        var heldCount = 0
        var next = unsafe pointee.first
        unsafe pointee.first = nil
        while let chunk = unsafe next {
            unsafe next = chunk.pointee.next
            let slots = unsafe HandleTable.slots(of: chunk)
            var count = 0
            for index in 0..<HandleTable.Chunk.capacity where unsafe slots[index] & 1 == 0 { count += 1 }
            heldCount += count
            if count == 0 {
                unsafe RawMemory.free(chunk)
            } else {
                unsafe chunk.pointee.interpreter = nil
            }
        }
        return heldCount
    }
}
