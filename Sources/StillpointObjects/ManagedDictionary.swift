public import StillpointMemory
public import StillpointThreads
internal import StillpointPlatform

/// A dictionary from bytes to references. Looking up takes no lock and allocates nothing; changes are made under the
/// dictionary's lock. How: ContainerBody.swift, DictionaryStorage.swift.
public enum ManagedDictionary {
    /// An empty dictionary with room for `capacity` keys, with one count.
    public static func make(
        capacity: Int = 0, by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        require(capacity >= 0, "a dictionary of a negative capacity")
        let dictionary = try unsafe Allocation.make(typeIndex: BuiltinType.dictionary, by: thread)
        if capacity == 0 { return unsafe dictionary }
        do throws(OutOfMemory) {
            let storage = try unsafe DictionaryStorage.make(
                capacity: DictionaryStorage.capacity(for: capacity), by: thread)
            unsafe ContainerBody.of(dictionary).pointee.storage.store(
                UInt(bitPattern: storage), ordering: .releasing)  // [storage]
        } catch {
            unsafe Counting.release(dictionary, by: thread)
            throw error
        }
        return unsafe dictionary
    }

    /// How many keys there are at this moment.
    public static func count(of dictionary: ObjectPointer) -> Int {
        unsafe ContainerBody.of(dictionary).pointee.count.load(ordering: .relaxed)  // by itself a number
    }

    /// The value of a key, with a count for the caller. Takes no lock.
    public static func find(
        _ bytes: UnsafeRawBufferPointer, hash: UInt64, in dictionary: ObjectPointer,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) -> ObjectPointer? {
        let body = unsafe ContainerBody.of(dictionary)
        while true {
            guard let storage = unsafe body.loadStorage(),
                let entry = unsafe DictionaryStorage.find(bytes, hash: hash, in: storage)
            else { return nil }
            let bits = unsafe entry.pointee.value.load(ordering: .acquiring)  // [publish]
            let object = unsafe ObjectPointer(bitPattern: bits)!
            guard unsafe Counting.tryRetain(object, by: thread) else { continue }
            // acquiring, both: not before the retain (S3).
            if unsafe entry.pointee.value.load(ordering: .acquiring) == bits,
                unsafe body.loadStorage() == storage
            {
                return unsafe object
            }
            unsafe Counting.release(object, by: thread)
        }
    }

    /// The value of a key, not counted: for keys that keep their value, so that threads which all look up the same few
    /// do not write to them. Good until the thread's next safepoint, and while nobody replaces or removes the value.
    public static func peek(
        _ bytes: UnsafeRawBufferPointer, hash: UInt64, in dictionary: ObjectPointer
    ) -> ObjectPointer? {
        guard let storage = unsafe ContainerBody.of(dictionary).loadStorage(),
            let entry = unsafe DictionaryStorage.find(bytes, hash: hash, in: storage)
        else { return nil }
        return unsafe ObjectPointer(bitPattern: entry.pointee.value.load(ordering: .acquiring))  // [publish]
    }

    /// The value of a key; if there is none, the value that `make` makes, from now on the key's. With a count for the
    /// caller. A hit takes no lock and allocates nothing. If it throws, nothing was changed.
    /// - Parameter make: makes a value with one count. Called at most once, without a lock; if another thread puts the
    ///   key in meanwhile, that one's value is the result, and what was made is given up. It may pass safepoints.
    public static func findOrInsert(
        _ bytes: UnsafeRawBufferPointer, hash: UInt64, in dictionary: ObjectSlot,
        by thread: UnsafeMutablePointer<ObjectThread>,
        make: () throws(OutOfMemory) -> ObjectPointer
    ) throws(OutOfMemory) -> ObjectPointer {
        if let found = unsafe find(bytes, hash: hash, in: dictionary.pointee!, by: thread) {
            return unsafe found
        }
        // In handles: the wait for the lock may be a safepoint.
        let value = try unsafe Handle<ManagedObject>(adopting: make(), by: thread)
        let key = try unsafe Handle<ManagedBytes>(
            adopting: ManagedBytes.make(bytes, hash: hash, by: thread), by: thread)
        let result = try unsafe ObjectLock.with(thread, dictionary) {
            () throws(OutOfMemory) -> ObjectPointer in
            let body = unsafe ContainerBody.of(dictionary.pointee!)
            if let storage = unsafe body.loadStorage(),
                let entry = unsafe DictionaryStorage.find(bytes, hash: hash, in: storage)
            {
                // The entry keeps it alive while the lock is held.
                let found = unsafe ObjectPointer(
                    bitPattern: entry.pointee.value.load(ordering: .acquiring))!
                unsafe Counting.retain(found, by: thread)
                return unsafe found
            }
            try unsafe insertNew(key: key.object, value: value.object, into: body, by: thread)
            unsafe Counting.retain(value.object, by: thread)
            return unsafe value.object
        }
        unsafe key.end(by: thread)
        unsafe value.end(by: thread)
        return unsafe result
    }

    /// Makes the object in the root slot `value` the key's value. True: the key is new; else the old value was replaced.
    /// If it throws, nothing was changed.
    @discardableResult
    public static func insert(
        _ bytes: UnsafeRawBufferPointer, hash: UInt64, value: ObjectSlot, in dictionary: ObjectSlot,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> Bool {
        let key = try unsafe Handle<ManagedBytes>(
            adopting: ManagedBytes.make(bytes, hash: hash, by: thread), by: thread)
        let old = try unsafe ObjectLock.with(thread, dictionary) {
            () throws(OutOfMemory) -> ObjectPointer? in
            let body = unsafe ContainerBody.of(dictionary.pointee!)
            let object = unsafe value.pointee!
            guard let storage = unsafe body.loadStorage(),
                let entry = unsafe DictionaryStorage.find(bytes, hash: hash, in: storage)
            else {
                try unsafe insertNew(key: key.object, value: object, into: body, by: thread)
                return nil
            }
            unsafe Counting.retain(object, by: thread)
            unsafe Counting.enableTryRetain(object)
            // releasing [publish]; acquiring: the old one may die by our hand.
            let before = unsafe entry.pointee.value.exchange(
                UInt(bitPattern: object), ordering: .acquiringAndReleasing)
            return unsafe ObjectPointer(bitPattern: before)
        }
        unsafe key.end(by: thread)
        guard let old = unsafe old else { return true }
        unsafe Counting.release(old, by: thread)
        return false
    }

    /// Removes the keys that `isRemoved` says, with their values; returns how many. Only while no thread reads the
    /// dictionary: a key is compared by readers that have no count of it. If it throws, nothing was changed.
    /// - Parameter isRemoved: asked once for each key, with the lock held; passes no safepoint, changes no dictionary.
    public static func removeAll(
        from dictionary: ObjectSlot, by thread: UnsafeMutablePointer<ObjectThread>,
        where isRemoved: (_ key: UnsafeRawBufferPointer, _ value: ObjectPointer) -> Bool
    ) throws(OutOfMemory) -> Int {
        let removed = try unsafe ObjectLock.with(thread, dictionary) {
            () throws(OutOfMemory) -> RemovedReferences in
            let body = unsafe ContainerBody.of(dictionary.pointee!)
            let count = unsafe body.pointee.count.load(ordering: .relaxed)
            var removed = try unsafe RemovedReferences(capacity: 2 * count)
            guard let old = unsafe body.loadStorage() else { return unsafe removed }
            // As many as there were: how many stay is not known yet.
            let new = try unsafe DictionaryStorage.make(
                capacity: DictionaryStorage.capacity(for: count), by: thread)
            unsafe DictionaryStorage.visit(old) { entry in
                let key = unsafe ObjectPointer(bitPattern: entry.pointee.key.load(ordering: .relaxed))!
                let value = unsafe ObjectPointer(
                    bitPattern: entry.pointee.value.load(ordering: .relaxed))!
                if unsafe isRemoved(ManagedBytes.bytes(of: key), value) {
                    unsafe removed.append(key)
                    unsafe removed.append(value)
                } else {
                    unsafe DictionaryStorage.copy(entry, to: new)
                }
            }
            unsafe body.pointee.count.store(count - removed.count / 2, ordering: .relaxed)
            unsafe body.replaceStorage(
                with: new, retiring: BuiltinType.retiredDictionaryStorage, by: thread)
            return unsafe removed
        }
        let count = unsafe removed.count / 2
        unsafe removed.releaseAll(by: thread)
        return count
    }

    /// Calls `body` with each key and value, not counted. Nobody changes the dictionary meanwhile: its lock is held, the
    /// world is stopped, or it is the caller's alone.
    public static func visit(
        _ dictionary: ObjectPointer, _ body: (_ key: ObjectPointer, _ value: ObjectPointer) -> Void
    ) {
        guard let storage = unsafe ContainerBody.of(dictionary).loadStorage() else { return }
        unsafe DictionaryStorage.visit(storage) { entry in
            unsafe body(
                ObjectPointer(bitPattern: entry.pointee.key.load(ordering: .relaxed))!,
                ObjectPointer(bitPattern: entry.pointee.value.load(ordering: .relaxed))!)
        }
    }

    // MARK: Under the lock

    /// Puts in a key that is not there, growing if need be. Adds a count to the key and to the value.
    private static func insertNew(
        key: ObjectPointer, value: ObjectPointer, into body: UnsafeMutablePointer<ContainerBody>,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) {
        let count = unsafe body.pointee.count.load(ordering: .relaxed)
        let storage = try unsafe storageWithRoom(for: count + 1, in: body, by: thread)
        unsafe Counting.retain(key, by: thread)
        unsafe Counting.enableTryRetain(key)
        unsafe Counting.retain(value, by: thread)
        unsafe Counting.enableTryRetain(value)
        unsafe DictionaryStorage.insert(
            hash: ManagedBytes.hash(of: key), key: UInt(bitPattern: key),
            value: UInt(bitPattern: value), into: storage)
        unsafe body.pointee.count.store(count + 1, ordering: .relaxed)
    }

    private static func storageWithRoom(
        for count: Int, in body: UnsafeMutablePointer<ContainerBody>,
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(OutOfMemory) -> ObjectPointer {
        let old = unsafe body.loadStorage()
        if let old = unsafe old, unsafe count * 3 < Objects.variableCount(of: old) * 2 {
            return unsafe old
        }
        let new = try unsafe DictionaryStorage.make(
            capacity: DictionaryStorage.capacity(for: count * 2), by: thread)
        if let old = unsafe old {
            unsafe DictionaryStorage.visit(old) { entry in unsafe DictionaryStorage.copy(entry, to: new) }
        }
        unsafe body.replaceStorage(
            with: new, retiring: BuiltinType.retiredDictionaryStorage, by: thread)
        return unsafe new
    }
}
