// How much memory the process occupies, as the kernel counts it. Nothing is allocated to find out,
// so that the answer does not depend on the question.

internal import Glibc

/// Resident memory of the process: what it occupies of the machine's memory, in bytes. All calls
/// are thread-safe.
///
/// Kernels from 6.2 on keep this count by processor and add it up roughly: it may be off by some
/// dozens of pages for each processor.
public enum ProcessMemory {
    /// Resident now. Throws what opening or reading /proc/self/statm met.
    public static func residentByteCount() throws(PlatformError) -> Int {
        // "size resident shared …", in pages
        guard let pages = try readNumber("/proc/self/statm", after: " ") else {
            throw PlatformError(call: "/proc/self/statm", errorNumber: EINVAL)
        }
        return pages * AddressSpace.pageByteCount
    }

    /// The most that was resident at any time, or since `resetPeak`. Throws what opening or reading
    /// /proc/self/status met.
    public static func peakResidentByteCount() throws(PlatformError) -> Int {
        guard let kibibytes = try readNumber("/proc/self/status", after: "VmHWM:") else {
            throw PlatformError(call: "/proc/self/status", errorNumber: EINVAL)
        }
        return kibibytes * 1024
    }

    /// Lets the peak begin anew from what is resident now. Throws where the kernel does not offer
    /// it: without CONFIG_PROC_PAGE_MONITOR, or with a /proc that cannot be written (as in some
    /// containers).
    public static func resetPeak() throws(PlatformError) {
        try SystemFile.write(UInt8(ascii: "5"), to: "/proc/self/clear_refs")
    }

    /// The decimal number after the first occurrence of `mark` in a file of at most 4 KiB.
    private static func readNumber(
        _ path: StaticString, after mark: StaticString
    ) throws(PlatformError) -> Int? {
        var space = InlineArray<4096, UInt8>(repeating: 0)
        var span = space.mutableSpan
        let outcome = unsafe span.withUnsafeMutableBytes { buffer in
            Result { () throws(PlatformError) -> Int? in
                let count = try unsafe SystemFile.read(path, into: buffer)
                return unsafe number(
                    in: UnsafeRawBufferPointer(rebasing: buffer[..<count]), after: mark)
            }
        }
        return try outcome.get()
    }

    private static func number(in text: UnsafeRawBufferPointer, after mark: StaticString) -> Int? {
        let length = mark.utf8CodeUnitCount
        guard text.count >= length else { return nil }
        let places = 0...(text.count - length)
        guard let found = places.first(where: { place in
            (0..<length).allSatisfy { unsafe text[place + $0] == mark.utf8Start[$0] }
        }) else { return nil }
        var value: Int?
        for unsafe byte in unsafe text[(found + length)...] {
            if value == nil, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { continue }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}
