// Resident memory of this process, as the kernel counts it.
import Foundation

struct ProcessMemory: Sendable {
    let residentByteCount: Int
    /// The most since the process began, or since `restartPeak`.
    let peakByteCount: Int

    /// nil where /proc is not mounted.
    static func current() -> ProcessMemory? {
        guard let file = fopen("/proc/self/status", "re") else { return nil }
        defer { fclose(file) }
        var resident: Int?
        var peak: Int?
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { line in
            while fgets(line.baseAddress!, CInt(line.count), file) != nil {
                let text = String(cString: line.baseAddress!)
                if text.hasPrefix("VmRSS:") { resident = kilobytes(text) }
                if text.hasPrefix("VmHWM:") { peak = kilobytes(text) }
            }
        }
        guard let resident, let peak else { return nil }
        return ProcessMemory(residentByteCount: resident, peakByteCount: max(peak, resident))
    }

    /// The peak counts anew from here, where the kernel allows it (Linux 4.0 and later).
    static func restartPeak() {
        let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "5", 1)
        close(file)
    }

    private static func kilobytes(_ line: String) -> Int? {
        line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first
            .flatMap { Int($0) }.map { $0 * 1024 }
    }
}
