// Cache sizes, from the C library where it knows them (x86-64), else from /sys (arm64, where it
// answers 0).

internal import Glibc

/// Sizes of a processor's data caches in bytes; `nil` where the system does not say.
public struct ProcessorCaches: Sendable, Equatable {
    /// What two threads must not share if both write: 64 where the system does not say.
    public let lineByteCount: Int
    public let level1DataByteCount: Int?
    public let level2ByteCount: Int?
    /// The last level as a rule, shared by several processors.
    public let level3ByteCount: Int?

    /// - Parameters:
    ///   - systemValue: `sysconf`; an unknown value is 0 or less.
    ///   - readText: the text of a file, `nil` if there is none.
    init(systemValue: (CInt) -> Int, readText: (String) -> String?) {
        let files = Self.inFiles(readText)
        func known(_ name: Int, else fallback: Int?) -> Int? {
            let value = systemValue(CInt(name))
            return value > 0 ? value : fallback
        }
        lineByteCount = known(Int(_SC_LEVEL1_DCACHE_LINESIZE), else: files.line) ?? 64
        level1DataByteCount = known(Int(_SC_LEVEL1_DCACHE_SIZE), else: files.sizes[1])
        level2ByteCount = known(Int(_SC_LEVEL2_CACHE_SIZE), else: files.sizes[2])
        level3ByteCount = known(Int(_SC_LEVEL3_CACHE_SIZE), else: files.sizes[3])
    }

    private static func inFiles(_ readText: (String) -> String?) -> (line: Int?, sizes: [Int: Int]) {
        var line: Int?
        var sizes: [Int: Int] = [:]
        for index in 0..<8 {
            let folder = "/sys/devices/system/cpu/cpu0/cache/index\(index)/"
            func word(_ file: String) -> Substring? {
                readText(folder + file)?.split(whereSeparator: \.isWhitespace).first
            }
            guard let type = word("type") else { break }
            guard type != "Instruction", let level = word("level").flatMap({ Int($0) }) else { continue }
            line = line ?? word("coherency_line_size").flatMap { Int($0) }
            sizes[level] = word("size").flatMap(byteCount)
        }
        return (line, sizes)
    }

    /// `48K` as the kernel writes it.
    private static func byteCount(_ text: Substring) -> Int? {
        OptionUnit.number(String(text), units: OptionUnit.byteCounts).flatMap { Int(exactly: $0) }
    }
}
