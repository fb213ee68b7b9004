public import StillpointMemory
public import StillpointThreads
public import StillpointPlatform

/// A list of references that grows. Reading takes no lock; changes are made under the list's lock. How:
/// ContainerBody.swift.
///
/// Slots from `count` on are empty, so a reader needs no count: beyond the end it finds nothing.
public enum ManagedList {
    static var smallestCapacity: Int { 4 }

    /// An empty list, with one count.
    public static func make(
        capacity: Int = 0, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        require(capacity >= 0, "a list of a negative capacity")
        let list = try unsafe Allocation.makeZeroed(
            typeIndex: BuiltinType.list, elementCount: 0, by: thread)
        unsafe Allocation.finish(list, type: BuiltinType.list, by: thread)
        if capacity == 0 { return unsafe list }
        do throws(OutOfMemory) {
            let storage = try unsafe makeStorage(capacity: capacity, by: thread)
            unsafe publish(storage, in: list)
        } catch {
            unsafe Counting.release(list, by: thread)
            throw error
        }
        return unsafe list
    }

    /// How many elements there are at this moment.
    @inlinable
    public static func count(of list: ObjectPointer) -> Int {
        unsafe ContainerBody.of(list).pointee.count.load(ordering: .relaxed)  // by itself a number
    }

    /// The element at `index`, with a count for the caller; nil beyond the end. Takes no lock.
    @inlinable
    public static func load(
        _ list: ObjectPointer, _ index: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> ObjectPointer? {
        require(index >= 0, "a negative list index")
        let body = unsafe ContainerBody.of(list)
        while true {
            guard let storage = unsafe body.loadStorage(),
                index < (unsafe Objects.variableCount(of: storage))
            else { return nil }
            let slot = unsafe element(of: storage, at: index)
            let bits = unsafe slot.pointee.load(ordering: .acquiring)  // [publish]
            guard let object = unsafe ObjectPointer(bitPattern: bits) else {
                // A removal has emptied the slot, or the element was never there; or it is in the new storage.
                if unsafe body.loadStorage() == storage { return nil }
                continue
            }
            guard unsafe Counting.tryRetain(object, by: thread) else { continue }
            // acquiring, both: not before the retain (S3).
            if unsafe slot.pointee.load(ordering: .acquiring) == bits,
                unsafe body.loadStorage() == storage
            {
                return unsafe object
            }
            unsafe Counting.release(object, by: thread)
        }
    }

    /// Appends the object in the root slot `value` to the list in the root slot `list`. If it throws, nothing was
    /// changed. May wait for the list's lock.
    @inlinable
    public static func append(
        _ value: ObjectSlot, to list: ObjectSlot, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) {
        try unsafe ObjectLock.with(thread, list) { () throws(OutOfMemory) in
            let body = unsafe ContainerBody.of(list.pointee!)
            let count = unsafe body.pointee.count.load(ordering: .relaxed)  // the lock
            var storage = unsafe body.loadStorage()
            if unsafe storage == nil || count == Objects.variableCount(of: storage!) {
                unsafe storage = try growSlow(list.pointee!, by: thread)
            }
            let object = unsafe value.pointee!
            unsafe Counting.retain(object, by: thread)
            unsafe Counting.enableTryRetain(object)
            // releasing [publish]
            unsafe element(of: storage!, at: count).pointee.store(
                UInt(bitPattern: object), ordering: .releasing)
            unsafe body.pointee.count.store(count &+ 1, ordering: .relaxed)
        }
    }

    /// Replaces the element at `index` by the object in the root slot `value`. False: there is no such element.
    public static func store(
        _ value: ObjectSlot, in list: ObjectSlot, at index: Int,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) -> Bool {
        require(index >= 0, "a negative list index")
        let old = unsafe ObjectLock.with(thread, list) { () -> ObjectPointer? in
            let body = unsafe ContainerBody.of(list.pointee!)
            if unsafe index >= body.pointee.count.load(ordering: .relaxed) { return nil }
            let object = unsafe value.pointee!
            unsafe Counting.retain(object, by: thread)
            unsafe Counting.enableTryRetain(object)
            // releasing [publish]; acquiring: the old one may die by our hand.
            let before = unsafe element(of: body.loadStorage()!, at: index).pointee.exchange(
                UInt(bitPattern: object), ordering: .acquiringAndReleasing)
            return unsafe ObjectPointer(bitPattern: before)
        }
        guard let old = unsafe old else { return false }
        unsafe Counting.release(old, by: thread)
        return true
    }

    /// Takes the last element out; its count is the caller's.
    public static func removeLast(
        from list: ObjectSlot, by thread: UnsafeMutablePointer<ObjectThread>
    ) -> ObjectPointer? {
        unsafe ObjectLock.with(thread, list) { () -> ObjectPointer? in
            let body = unsafe ContainerBody.of(list.pointee!)
            let count = unsafe body.pointee.count.load(ordering: .relaxed)
            if count == 0 { return nil }
            unsafe body.pointee.count.store(count - 1, ordering: .relaxed)
            // acquiring: whoever stored it may not be us.
            let bits = unsafe element(of: body.loadStorage()!, at: count - 1).pointee.exchange(
                0, ordering: .acquiringAndReleasing)
            return unsafe ObjectPointer(bitPattern: bits)
        }
    }

    /// Removes the elements that `isRemoved` says; the others keep their order. Readers may run. Returns how many went.
    /// If it throws, nothing was changed.
    /// - Parameter isRemoved: asked once for each element, with the lock held; passes no safepoint and changes no list.
    public static func removeAll(
        from list: ObjectSlot, by thread: UnsafeMutablePointer<ObjectThread>,
        where isRemoved: (ObjectPointer) -> Bool
    ) throws(OutOfMemory) -> Int {
        let removed = try unsafe ObjectLock.with(thread, list) {
            () throws(OutOfMemory) -> RemovedReferences in
            let body = unsafe ContainerBody.of(list.pointee!)
            let count = unsafe body.pointee.count.load(ordering: .relaxed)
            var removed = try unsafe RemovedReferences(capacity: count)
            if count == 0 { return unsafe removed }
            let new = try unsafe makeStorage(capacity: max(count, smallestCapacity), by: thread)
            let old = unsafe body.loadStorage()!
            var kept = 0
            for index in 0..<count {
                let object = unsafe element(of: old, at: index).loadObject()!
                if unsafe isRemoved(object) {
                    unsafe removed.append(object)
                } else {
                    unsafe element(of: new, at: kept).pointee.store(
                        UInt(bitPattern: object), ordering: .relaxed)  // [storage]
                    kept += 1
                }
            }
            unsafe body.pointee.count.store(kept, ordering: .relaxed)
            unsafe body.replaceStorage(
                with: new, retiring: BuiltinType.retiredListStorage, by: thread)
            return unsafe removed
        }
        let count = unsafe removed.count
        unsafe removed.releaseAll(by: thread)
        return count
    }

    /// Calls `body` with each element, not counted. Nobody changes the list meanwhile: its lock is held, the world is
    /// stopped, or the list is the caller's alone.
    public static func visit(_ list: ObjectPointer, _ body: (ObjectPointer) -> Void) {
        guard let storage = unsafe ContainerBody.of(list).loadStorage() else { return }
        for index in 0..<(unsafe count(of: list)) {
            if let object = unsafe element(of: storage, at: index).loadObject() { unsafe body(object) }
        }
    }

    // MARK: Storage

    @inlinable @inline(__always)
    static func element(of storage: ObjectPointer, at index: Int) -> ReferenceSlot {
        unsafe Objects.slot(at: storage + 24 + index &* 8)
    }

    static func makeStorage(
        capacity: Int, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let storage = try unsafe Allocation.makeZeroed(
            typeIndex: BuiltinType.listStorage, elementCount: capacity, by: thread)
        unsafe Allocation.finishMerged(storage, type: BuiltinType.listStorage, by: thread)  // S4
        return unsafe storage
    }

    private static func publish(_ storage: ObjectPointer, in list: ObjectPointer) {
        unsafe ContainerBody.of(list).pointee.storage.store(
            UInt(bitPattern: storage), ordering: .releasing)  // [storage]
    }

    /// Gives the list a larger storage, and returns it. The lock is held.
    @usableFromInline @inline(never)
    static func growSlow(
        _ list: ObjectPointer, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let body = unsafe ContainerBody.of(list)
        let count = unsafe body.pointee.count.load(ordering: .relaxed)
        let new = try unsafe makeStorage(capacity: max(count * 2, smallestCapacity), by: thread)
        if let old = unsafe body.loadStorage() {
            for index in 0..<count {
                let bits = unsafe element(of: old, at: index).pointee.load(ordering: .relaxed)
                unsafe element(of: new, at: index).pointee.store(bits, ordering: .relaxed)  // [storage]
            }
        }
        unsafe body.replaceStorage(with: new, retiring: BuiltinType.retiredListStorage, by: thread)
        return unsafe new
    }
}
