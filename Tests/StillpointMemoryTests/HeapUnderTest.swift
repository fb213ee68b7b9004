// A heap with thread heaps for the tests, a model of what is live in it.

import CStillpoint
import Glibc
import StillpointPlatform
import StillpointSynchronization
import StillpointTestSupport
import Synchronization
@testable import StillpointMemory

typealias Block = UnsafeMutableRawPointer

/// An interpreter's heap and the heaps of `threadCount` thread states. The model, `live`, is for tests of one thread.
final class HeapUnderTest {
    let heap: UnsafeMutablePointer<InterpreterHeap>
    let threads: [UnsafeMutablePointer<ThreadHeap>]
    var live: Set<Block> = []

    init(threadCount: Int = 1, pageReturn: PageReturn = .whenStopped) {
        heap = .allocate(capacity: 1)
        heap.initialize(to: InterpreterHeap(pageReturn: pageReturn))
        threads = (0..<threadCount).map { [heap] _ in
            let thread = UnsafeMutablePointer<ThreadHeap>.allocate(capacity: 1)
            thread.initialize(to: ThreadHeap(of: heap))
            return thread
        }
    }

    deinit {
        for thread in threads {
            ThreadHeap.abandon(thread)
            thread.deinitialize(count: 1)
            thread.deallocate()
        }
        heap.deinitialize(count: 1)
        heap.deallocate()
    }

    func allocate(_ byteCount: Int, by thread: Int = 0) throws -> Block {
        let block = try threads[thread].allocateObject(byteCount)
        precondition(live.insert(block).inserted, "a block that is in use was handed out")
        return block
    }

    func free(_ block: Block, by thread: Int = 0) {
        precondition(live.remove(block) != nil)
        block.checkObject()
        ThreadHeap.free(block, by: threads[thread])
    }

    func freeStopped(_ block: Block) {
        precondition(live.remove(block) != nil)
        Page.containing(block).freeStopped(block)
    }

    func visited() -> [Block] {
        var found: [Block] = []
        heap.visitPages { page in
            page.visitBlocks { found.append($0) }
            return true
        }
        return found
    }

    func pages() -> [UnsafeMutablePointer<Page>] {
        var found: [UnsafeMutablePointer<Page>] = []
        heap.visitPages {
            found.append($0)
            return true
        }
        return found
    }

    /// The model and the heap agree, and every invariant holds.
    func check() -> Bool {
        heap.checkInvariants()
        for thread in threads { thread.checkInvariants() }
        let found = visited()
        return found.count == live.count && Set(found) == live
    }
}

extension UnsafeMutablePointer where Pointee == ThreadHeap {
    /// A block with a type word, filled to its end with a pattern of its own.
    func allocateObject(_ byteCount: Int) throws -> Block {
        let block = try allocate(byteCount: byteCount)
        let header = BlockHeader.of(block)
        precondition(header.pointee.shared.load(ordering: .relaxed) == BlockHeader.freeShared)
        precondition(!BlockHeader.isLive(block))
        let end = Page.containing(block).pointee.blockByteCount - 8
        precondition(end + 8 >= byteCount)
        block.word(at: 16).pointee = UInt(bitPattern: block)
        block.word(at: end).pointee = UInt(bitPattern: block)
        header.pointee.owner.store(7, ordering: .relaxed)
        header.pointee.shared.store(0, ordering: .relaxed)
        header.pointee.type.store(1, ordering: .relaxed)
        return block
    }
}

extension Block {
    /// Nobody has written into the block since `allocateObject`.
    func checkObject() {
        let end = Page.containing(self).pointee.blockByteCount - 8
        precondition(word(at: 16).pointee == UInt(bitPattern: self))
        precondition(word(at: end).pointee == UInt(bitPattern: self))
        precondition(BlockHeader.isLive(self))
    }

    /// A word of the block: typed, since ThreadSanitizer does not see raw loads and stores in a debug build.
    func word(at byteOffset: Int) -> UnsafeMutablePointer<UInt> {
        (self + byteOffset).assumingMemoryBound(to: UInt.self)
    }
}

/// A bag of blocks that threads share. Its mutex is one that ThreadSanitizer sees into.
final class BlockQueue: @unchecked Sendable {
    private let mutex = ParkingMutex()
    private var blocks: [Block] = []

    func push(_ block: Block) {
        mutex.lock()
        blocks.append(block)
        mutex.unlock()
    }

    func popRandom(_ generator: inout SplitMix64) -> Block? {
        let choice = generator.next()
        mutex.lock()
        defer { mutex.unlock() }
        guard !blocks.isEmpty else { return nil }
        blocks.swapAt(Int(choice % UInt64(blocks.count)), blocks.count - 1)
        return blocks.removeLast()
    }
}

struct SendableHeap: @unchecked Sendable {
    let heap: HeapUnderTest
}
