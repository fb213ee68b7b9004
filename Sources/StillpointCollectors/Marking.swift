// Marking: what the roots reach, found with an explicit stack. Marks lie beside the pages (`MarkBits`), so an object
// that is marked already costs no look at the object.
//
// M1  An object is pushed when its mark is set, so once.
// M2  When the stack is empty and has dropped nothing, every object that a marked object refers to is marked.
// M3  If pushes were dropped, every marked object is visited again, until a walk over the heap drops nothing. Each walk
//     marks at least one object more than the one before, or drops nothing; so it ends.
// World stopped; one thread marks.

internal import StillpointPlatform
internal import StillpointMemory
internal import StillpointObjects

/// Bits of the type word that belong to the collector, beside the type index and the lock.
enum CollectorBits {
    /// Trash whose payload is destroyed after the pause (K4).
    static let doomed: UInt32 = 1 << 31

    /// Whether the collector passes the object by: it is doomed, or memory of a container that waits for its
    /// grace period.
    @inline(__always)
    static func isPassedBy(_ object: ObjectPointer) -> Bool {
        // relaxed: the world is stopped
        let word = unsafe BlockHeader.of(object).pointee.type.load(ordering: .relaxed)
        return word & doomed != 0 || BuiltinType.isRetired(word & BlockHeader.typeIndexMask)
    }
}

extension UnsafeMutablePointer where Pointee == CollectorState {
    /// Marks everything that the roots reach.
    func mark(
        roots: CollectionRoots, _ stack: inout MarkStack, _ report: inout CollectionReport
    ) {
        unsafe heap.clearMarks()
        guard roots == .handles else { return }
        unsafe pointee.objects.visitHandles { slot in
            guard let object = unsafe slot.pointee else { return }
            report.rootCount += 1
            unsafe Self.markRoot(object, &stack)
        }
        unsafe heap.visitPages { page in
            unsafe page.visitBlocks { object in
                if unsafe Objects.isImmortal(object) && !CollectorBits.isPassedBy(object) {
                    unsafe Self.markRoot(object, &stack)
                }
            }
            return true
        }
        unsafe drain(&stack)
        while stack.takeOverflow() {  // M3
            report.rescanCount += 1
            unsafe heap.visitPages { page in
                unsafe page.visitBlocks { object in
                    if unsafe MarkBits.isMarked(object) {
                        unsafe visit(object, &stack)
                        unsafe drain(&stack)
                    }
                }
                return true
            }
        }
    }

    @inline(__always)
    private static func markRoot(_ object: ObjectPointer, _ stack: inout MarkStack) {
        if unsafe !MarkBits.testAndSet(object) { unsafe stack.push(object) }
    }

    private func drain(_ stack: inout MarkStack) {
        while let object = unsafe stack.pop() { unsafe visit(object, &stack) }
    }

    @inline(__always)
    private func visit(_ object: ObjectPointer, _ stack: inout MarkStack) {
        unsafe Objects.visitReferences(of: object, in: types) { slot in
            guard let child = unsafe slot.loadObject() else { return }
            if unsafe !MarkBits.testAndSet(child) { unsafe stack.push(child) }
        }
    }
}
