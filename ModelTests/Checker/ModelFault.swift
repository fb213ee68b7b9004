// What is wrong with a run, in words: two accesses that race, a location used with two widths, memory used after it
// was freed.

public struct ModelFault: Error, Sendable {
    public enum Kind: Sendable {
        /// Two accesses of the same bytes, one of them a write, one of them plain, and neither happens before the
        /// other.
        case dataRace
        /// An atomic access of bytes that belong to an atomic of another width or address.
        case mixedWidths
        /// An atomic access that is not aligned, or wider than a word.
        case badAccess
        case useAfterFree
        /// Memory is freed while another thread's access of it does not happen before that.
        case freedInUse
        case freedTwice
    }

    /// One of the two operations that do not go together.
    public struct Access: Sendable {
        public var thread: Int
        /// In words: "atomic load", "plain write", "free".
        public var operation: String
        public var site: Site
    }

    public var kind: Kind
    public var address: UInt
    public var byteCount: Int
    /// The access that was made last, on which the fault was found.
    public var access: Access
    /// The earlier one that it does not go together with.
    public var earlier: Access?

    /// The whole in words, with the caller's names of threads and addresses.
    public func description(threadName: (Int) -> String, addressName: (UInt) -> String) -> String {
        func words(_ access: Access) -> String {
            "\(access.operation) by \(threadName(access.thread)) at \(access.site)"
        }
        let place = "\(byteCount) bytes at \(addressName(address))"
        let other = earlier.map { words($0) } ?? "an earlier access"
        switch kind {
        case .dataRace:
            return "data race on \(place): \(words(access)) and \(other); neither happens before the other"
        case .mixedWidths:
            return "one location with two widths: \(words(access)) of \(place) overlaps \(other)"
        case .badAccess:
            return "\(words(access)) of \(place) is not aligned or too wide"
        case .useAfterFree:
            return "use after free of \(place): \(words(access)); it was freed: \(other)"
        case .freedInUse:
            return "\(place) freed while in use: \(words(access)) and \(other); neither happens before the other"
        case .freedTwice:
            return "\(place) freed twice: \(words(access)) and \(other)"
        }
    }
}

extension ModelFault: CustomStringConvertible {
    public var description: String {
        description(threadName: { "thread \($0)" }, addressName: { "0x" + String($0, radix: 16) })
    }
}
