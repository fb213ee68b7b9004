/// A request for memory that could not be met. The heap is as it was before.
public struct OutOfMemory: Error, Equatable, CustomStringConvertible {
    /// What was asked for, in bytes.
    public let requestedByteCount: Int

    public init(requestedByteCount: Int) {
        self.requestedByteCount = requestedByteCount
    }

    public var description: String { "out of memory: \(requestedByteCount) bytes asked for" }
}
