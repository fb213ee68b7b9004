// How many processors the process can use, and what is known of their caches. Facts of the moment
// are read at every call (system files, up to half a millisecond): read them once, at set-up.

internal import CStillpoint
internal import Glibc

/// The processors of the machine as this process may use them. All calls are thread-safe.
public enum Processors {
    /// How many threads can make progress at once: the processors that the calling thread may run
    /// on, or fewer if its control group has a quota (one and a half processors count as two). At
    /// least 1.
    public static var usableCount: Int {
        min(affinityCount, ProcessorQuota.processorLimit(readText: SystemFile.text) ?? .max)
    }

    /// The processors that the calling thread may run on, whatever the quota. At least 1.
    public static var affinityCount: Int { max(1, Int(sp_usable_processor_count())) }

    /// Whether the calling thread may run on `processor`, counted from 0.
    public static func isUsable(_ processor: Int) -> Bool {
        sp_may_use_processor(CInt(clamping: processor)) != 0
    }

    /// The caches of processor 0.
    public static var caches: ProcessorCaches {
        ProcessorCaches(systemValue: { sysconf($0) }, readText: SystemFile.text)
    }
}
