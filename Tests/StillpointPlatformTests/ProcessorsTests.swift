import Glibc
import Testing

@testable import StillpointPlatform

@Suite struct ProcessorsTests {
    @Test func `there is a processor, and no more are usable than the thread may run on`() {
        #expect(Processors.affinityCount >= 1)
        #expect((1...Processors.affinityCount).contains(Processors.usableCount))
        #expect((0..<1024).count(where: Processors.isUsable) == Processors.affinityCount)
        #expect(!Processors.isUsable(-1))
        #expect(!Processors.isUsable(.max))
    }

    @Test func `this machine's caches grow from level to level and have lines of a power of two`() {
        let caches = Processors.caches
        #expect(caches.lineByteCount.nonzeroBitCount == 1)
        let sizes = [caches.level1DataByteCount, caches.level2ByteCount, caches.level3ByteCount].compactMap(\.self)
        #expect(sizes == sizes.sorted())
    }
}

@Suite struct ProcessorCachesTests {
    private static let folder = "/sys/devices/system/cpu/cpu0/cache/index"
    private static let files = [
        "0/type": "Data\n", "0/level": "1\n", "0/size": "64K\n", "0/coherency_line_size": "128\n",
        "1/type": "Instruction\n", "1/level": "1\n", "1/size": "32K\n", "1/coherency_line_size": "32\n",
        "2/type": "Unified\n", "2/level": "2\n", "2/size": "1M\n", "2/coherency_line_size": "128\n",
        "3/type": "Unified\n", "3/level": "3\n", "3/size": "393216K\n",
    ]

    private static func read(_ path: String) -> String? {
        path.hasPrefix(folder) ? files[String(path.dropFirst(folder.count))] : nil
    }

    @Test func `what the C library knows comes first`() {
        let caches = ProcessorCaches(
            systemValue: { $0 == CInt(_SC_LEVEL1_DCACHE_LINESIZE) ? 64 : 1 << 14 }, readText: Self.read)
        #expect(caches.lineByteCount == 64)
        #expect(caches.level1DataByteCount == 1 << 14)
        #expect(caches.level3ByteCount == 1 << 14)
    }

    @Test(arguments: [0, -1])
    func `what the C library does not know is read from files`(unknown: Int) {
        let caches = ProcessorCaches(systemValue: { _ in unknown }, readText: Self.read)
        #expect(caches.lineByteCount == 128)
        #expect(caches.level1DataByteCount == 64 << 10)
        #expect(caches.level2ByteCount == 1 << 20)
        #expect(caches.level3ByteCount == 393216 << 10)
    }

    @Test func `what nobody knows is nil, and a line then has 64 bytes`() {
        let caches = ProcessorCaches(systemValue: { _ in 0 }, readText: { _ in nil })
        #expect(caches.lineByteCount == 64)
        #expect(caches.level1DataByteCount == nil)
        #expect(caches.level2ByteCount == nil)
        #expect(caches.level3ByteCount == nil)
        let nonsense = ProcessorCaches(systemValue: { _ in 0 }, readText: { _ in "nonsense" })
        #expect(nonsense == caches)
    }
}

@Suite struct ProcessorQuotaTests {
    private static let unified = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let divided = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"

    private static func limit(_ files: [String: String]) -> Int? {
        ProcessorQuota.processorLimit { files[$0] }
    }

    @Test(arguments: [
        ("max 100000", nil), ("100000 100000", 1), ("150000 100000", 2), ("200000 100000", 2),
        ("1000 100000", 1), ("6400000 100000", 64), ("50000 200000", 1), ("9223372036854775807 1", .max),
        ("", nil), ("100000", nil), ("0 100000", nil), ("100000 0", nil), ("-1 100000", nil), ("a b", nil),
    ] as [(String, Int?)])
    func `a quota of version 2 is rounded up to whole processors`(text: String, expected: Int?) {
        let found = Self.limit([
            "/proc/self/cgroup": "0::/job\n", "/proc/self/mountinfo": Self.unified,
            "/sys/fs/cgroup/job/cpu.max": text + "\n",
        ])
        #expect(found == expected)
    }

    @Test(arguments: [("-1", nil), ("150000", 2), ("100000", 1), ("", nil)] as [(String, Int?)])
    func `a quota of version 1 is rounded up to whole processors`(text: String, expected: Int?) {
        let found = Self.limit([
            "/proc/self/cgroup": "4:memory:/else\n3:cpu,cpuacct:/job\n0::/other\n",
            "/proc/self/mountinfo": Self.divided,
            "/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": text + "\n",
            "/sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu/else/cpu.cfs_quota_us": "1\n",
            "/sys/fs/cgroup/cpu/else/cpu.cfs_period_us": "1\n",
        ])
        #expect(found == expected)
    }

    @Test(arguments: ["", "/a", "/a/b", "/a/b/c"])
    func `the smallest quota on the way up counts`(group: String) {
        let found = Self.limit([
            "/proc/self/cgroup": "0::/a/b/c\n", "/proc/self/mountinfo": Self.unified,
            "/sys/fs/cgroup/cpu.max": "900000 100000", "/sys/fs/cgroup/a/cpu.max": "900000 100000",
            "/sys/fs/cgroup/a/b/cpu.max": "max 100000", "/sys/fs/cgroup/a/b/c/cpu.max": "800000 100000",
        ].merging(["/sys/fs/cgroup\(group)/cpu.max": "300000 100000"]) { $1 })
        #expect(found == 3)
    }

    @Test func `a sister group's quota does not count`() {
        let found = Self.limit([
            "/proc/self/cgroup": "0::/a/b\n", "/proc/self/mountinfo": Self.unified,
            "/sys/fs/cgroup/a/c/cpu.max": "100000 100000", "/sys/fs/cgroup/b/cpu.max": "100000 100000",
        ])
        #expect(found == nil)
    }

    @Test(arguments: ["/docker/abc", "/docker/abc/", "/elsewhere", "/", "/docker/abcdef", "/../.."])
    func `in a container the mounted part is the whole`(group: String) {
        let found = Self.limit([
            "/proc/self/cgroup": "0::\(group)\n",
            "/proc/self/mountinfo": "1 2 0:3 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup ro\n",
            "/sys/fs/cgroup/cpu.max": "200000 100000",
        ])
        #expect(found == 2)
    }

    @Test func `a group below the mounted part is found below the mount point`() {
        let found = Self.limit([
            "/proc/self/cgroup": "2:cpu:/docker/abc/job\n",
            "/proc/self/mountinfo": "1 2 0:3 /docker/abc /cg ro - cgroup none rw,cpu\n",
            "/cg/job/cpu.cfs_quota_us": "50000", "/cg/job/cpu.cfs_period_us": "20000",
        ])
        #expect(found == 3)
    }

    @Test func `with both versions mounted the smaller quota counts`() {
        let found = Self.limit([
            "/proc/self/cgroup": "1:cpu:/\n0::/\n", "/proc/self/mountinfo": Self.unified + Self.divided,
            "/sys/fs/cgroup/cpu.max": "500000 100000",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000",
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        ])
        #expect(found == 4)
    }

    @Test(arguments: ["", "nonsense", "::", "0::", "1 2 3 4 5 6 -", "- - - -", "1 2 0:3 / /m rw - cgroup2"])
    func `nonsense in the files is no quota`(text: String) {
        #expect(Self.limit(["/proc/self/cgroup": text, "/proc/self/mountinfo": Self.unified]) == nil)
        #expect(Self.limit(["/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": text]) == nil)
        #expect(Self.limit(["/proc/self/cgroup": "0::/\n"]) == nil)
        #expect(Self.limit([:]) == nil)
    }
}
