// The oracle: what the collector did, found again by another method, slow and plain. It is for tests, and for the option
// that checks every collection; it uses Swift's collections and so its allocations, in the pause.
//
// The collector marks depth first with a stack over raw memory and bits beside the pages. The oracle copies the
// graph into a dictionary first, then lets reachability spread in rounds until a round adds nothing.
//
//   checkMarks    after marking: what is marked = what is reached
//   checkCounts   after sweeping: the count of every object = the handles and slots that refer to it  (K3)

internal import StillpointPlatform
internal import StillpointMemory
public import StillpointObjects
internal import StillpointThreads

/// The objects of one interpreter and who refers to whom. Made while the world is stopped.
struct ObjectGraph {
    /// What each object refers to, once for each slot.
    private(set) var references: [UInt: [UInt]] = [:]
    /// What each handle refers to.
    private(set) var handles: [UInt] = []
    private(set) var immortals: Set<UInt> = []

    init(of state: UnsafeMutablePointer<CollectorState>, roots: CollectionRoots = .handles) {
        var handles: [UInt] = []
        if roots == .handles {
            unsafe state.pointee.objects.visitHandles { slot in
                if let object = unsafe slot.pointee { handles.append(UInt(bitPattern: object)) }
            }
        }
        var references: [UInt: [UInt]] = [:]
        var immortals: Set<UInt> = []
        unsafe state.heap.visitPages { page in
            unsafe page.visitBlocks { object in
                if unsafe CollectorBits.isPassedBy(object) { return }
                var children: [UInt] = []
                unsafe Objects.visitReferences(of: object, in: state.types) { slot in
                    if let child = unsafe slot.loadObject() { children.append(UInt(bitPattern: child)) }
                }
                references[UInt(bitPattern: object)] = children
                if unsafe roots == .handles && Objects.isImmortal(object) { immortals.insert(UInt(bitPattern: object)) }
            }
            return true
        }
        self.handles = handles
        self.references = references
        self.immortals = immortals
    }

    /// What the handles and the immortal objects reach.
    func reached() -> Set<UInt> {
        var reached = immortals.union(handles)
        var frontier = reached
        while !frontier.isEmpty {
            var next: Set<UInt> = []
            for object in frontier {
                guard let children = references[object] else {
                    endProcess("a reference to what is no object")
                }
                next.formUnion(children)
            }
            frontier = next.subtracting(reached)
            reached.formUnion(frontier)
        }
        return reached
    }

    /// How many handles and slots refer to each object.
    func referenceCounts() -> [UInt: Int] {
        var counts: [UInt: Int] = [:]
        for object in references.keys { counts[object] = 0 }
        for object in handles { counts[object, default: 0] += 1 }
        for children in references.values {
            for child in children { counts[child, default: 0] += 1 }
        }
        return counts
    }
}

extension UnsafeMutablePointer where Pointee == CollectorState {
    /// Traps if what is marked is not what is reached. World stopped, marked, not swept.
    func checkMarks(roots: CollectionRoots) {
        let graph = unsafe ObjectGraph(of: self, roots: roots)
        let reached = graph.reached()
        for object in graph.references.keys {
            let isMarked = unsafe MarkBits.isMarked(ObjectPointer(bitPattern: object)!)
            require(
                isMarked == reached.contains(object),
                isMarked ? "an object marked that nothing reaches" : "an object reached and not marked")
        }
    }

    /// Traps if an object's count is not the number of handles and slots that refer to it. World stopped, queues
    /// merged.
    func checkCounts(roots: CollectionRoots = .handles) {
        let graph = unsafe ObjectGraph(of: self, roots: roots)
        for (object, expected) in graph.referenceCounts() where !graph.immortals.contains(object) {
            require(graph.references[object] != nil, "a reference to what is no object")
            let count = unsafe Counting.count(of: ObjectPointer(bitPattern: object)!)
            require(count == expected, "count \(count), references \(expected)")
        }
    }

    /// Stops the interpreter, merges what is queued, and checks every count. `thread` is attached. For tests.
    public func verify(
        by thread: UnsafeMutablePointer<ObjectThread>
    ) throws(CollectionError) -> Int {
        do throws(ThreadStateError) {
            let stopped = try unsafe StopTheWorld.begin(world, scope: pointee.roster)
            unsafe pointee.objects.mergeAllQueued(by: thread)
            unsafe checkCounts()
            let count = unsafe ObjectGraph(of: self).references.count
            stopped.resume()
            return count
        } catch { throw .thread(error) }
    }
}
