struct ConsistencyOrder {
    func deallocate() {}
    mutating func removeAll() {}
}
extension MemoryModel {
    func noteConsistent(_ event: Int32, by thread: Int, isFence: Bool) {}
    func noteOutwardEdges(of event: Int32) {}
    func isConsistent(read: Int32, predecessor: Int32, _ location: Int32, by thread: Int, _ order: MemoryOrder) -> Bool { true }
}
