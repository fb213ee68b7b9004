// Resident memory at the moments that the report names, as the kernel counts it.
import Foundation
import Stillpoint

struct MemoryMarks {
    /// Before the first run.
    let start: Int
    private(set) var peak = 0
    private(set) var indexed = 0
    private(set) var halfDropped = 0
    private(set) var allDropped = 0

    init() throws {
        // Where the kernel does not let the peak begin anew, it is that of the process.
        try? ProcessMemory.resetPeak()
        start = try ProcessMemory.residentByteCount()
    }

    mutating func noteIndexed() throws { indexed = try ProcessMemory.residentByteCount() }

    mutating func noteHalfDropped() throws {
        Self.returnFreed()
        halfDropped = try ProcessMemory.residentByteCount()
    }

    mutating func noteAllDropped() throws {
        peak = try ProcessMemory.peakResidentByteCount()
        Self.returnFreed()
        allDropped = try ProcessMemory.residentByteCount()
    }

    /// What is left of the peak, both taken above the start.
    var finalShareOfPeak: Double {
        peak > start ? Double(allDropped - start) / Double(peak - start) : 0
    }

    /// The C library keeps what tables and paths of this program were freed, up to 64 MB of it, for
    /// later: here it is asked to give that back, where it has a function for it. The managed heap
    /// gives back its own.
    private static func returnFreed() {
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        typealias Trim = @convention(c) (Int) -> CInt
        _ = unsafeBitCast(symbol, to: Trim.self)(0)
    }
}
