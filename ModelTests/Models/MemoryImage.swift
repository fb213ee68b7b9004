#if ModelCheck
// The bytes that something had when it was made, to be put back before each run: making a world anew takes longer than a run.

struct MemoryImage {
    private let address: UnsafeMutableRawPointer
    private let bytes: UnsafeMutableRawPointer
    private let byteCount: Int

    /// Of `value` as it is now. It must outlive the image.
    init<Value: ~Copyable>(of value: UnsafeMutablePointer<Value>) {
        address = UnsafeMutableRawPointer(value)
        byteCount = MemoryLayout<Value>.size
        bytes = .allocate(byteCount: byteCount, alignment: 128)
        bytes.copyMemory(from: address, byteCount: byteCount)
    }

    func restore() { address.copyMemory(from: bytes, byteCount: byteCount) }
}
#endif
