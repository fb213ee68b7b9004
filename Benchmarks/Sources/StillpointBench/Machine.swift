// The machine, the versions and flags, and how busy others kept it: what a figure is worth depends on them.

import Foundation
import StillpointPlatform

struct Machine: Encodable {
    let revision: String
    let compiler: String
    let flags: String
    let reclamationLibrary: String
    let system: String
    let processor: String
    let loadBefore: String
    private(set) var loadAfter: String?
    /// Processors' worth of work that was not ours, on average from the first line to the last.
    private(set) var processorsBusyWithOthers: Double?
    private let start: Sample

    static func current() -> Machine {
        Machine(
            revision: revision(),
            compiler: firstLine(of: ["swift", "--version"]) ?? "unknown",
            flags: flags,
            reclamationLibrary: "liburcu "
                + (firstLine(of: ["pkg-config", "--modversion", "liburcu-qsbr"]) ?? "of unknown version"),
            system: system(),
            processor: processor(),
            loadBefore: load(),
            start: Sample.now())
    }

    /// Notes what can only be known at the end.
    mutating func end() {
        loadAfter = Self.load()
        processorsBusyWithOthers = Sample.now().processorsBusyWithOthers(since: start)
    }

    var lines: [String] {
        [
            "Stillpoint \(revision)",
            "compiler   \(compiler)",
            "flags      \(flags)",
            "libraries  \(reclamationLibrary)",
            "system     \(system)",
            "processor  \(processor)",
            "load       \(loadBefore) (1, 5, 15 minutes)",
        ]
    }

    /// How busy the machine was, for the end of the report.
    var load: String {
        "Load at the end \(loadAfter ?? Self.load()); other programs kept "
            + "\(Figure.plain(processorsBusyWithOthers ?? 0)) processors busy meanwhile, on average."
    }

    private enum CodingKeys: CodingKey {
        case revision, compiler, flags, reclamationLibrary, system, processor
        case loadBefore, loadAfter, processorsBusyWithOthers
    }

    // MARK: Reading the system

    private static var flags: String {
        #if DEBUG
            "-c debug: figures of a debug build say nothing"
        #else
            "-c release (-O, whole module, conservative cross-module optimization), no others"
        #endif
    }

    private static func revision() -> String {
        let root = Repository.path
        guard let commit = firstLine(of: ["git", "-C", root, "rev-parse", "--short", "HEAD"]) else {
            return "of unknown revision"
        }
        let change = firstLine(of: ["git", "-C", root, "status", "--porcelain", "-uno"])
        return commit + (change == nil ? "" : ", changed since")
    }

    private static func system() -> String {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: &name.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return "Linux \(release), \(firstLine(of: ["getconf", "GNU_LIBC_VERSION"]) ?? "unknown C library")"
    }

    private static func processor() -> String {
        let model = text(ofFile: "/proc/cpuinfo")
            .split(separator: "\n").first { $0.hasPrefix("model name") }?
            .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        return "\(model ?? "unknown"), \(Processors.affinityCount) usable, "
            + "\(Processors.usableCount) by quota, lines of \(Processors.caches.lineByteCount) bytes"
    }

    private static func load() -> String {
        text(ofFile: "/proc/loadavg").split(separator: " ").prefix(3).joined(separator: " ")
    }

    fileprivate static func text(ofFile path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    private static func firstLine(of command: [String]) -> String? {
        Command.output(of: command)?.split(separator: "\n").first.map(String.init)
    }
}

/// Processor time up to now, of all programs and of this one.
private struct Sample {
    let wallSeconds: Double
    let allBusySeconds: Double
    let ownSeconds: Double

    static func now() -> Sample {
        // user, nice, system, idle, iowait, irq, softirq, steal, in ticks.
        let fields = Machine.text(ofFile: "/proc/stat").split(separator: "\n").first?
            .split(separator: " ").dropFirst().compactMap { Double($0) } ?? []
        let busy = fields.enumerated().filter { $0.offset != 3 && $0.offset != 4 && $0.offset < 8 }
            .reduce(0) { $0 + $1.element }
        return Sample(
            wallSeconds: Double(MonotonicClock.nanoseconds()) / 1e9,
            allBusySeconds: busy / Double(sysconf(Int32(_SC_CLK_TCK))),
            ownSeconds: seconds(of: RUSAGE_SELF.rawValue) + seconds(of: RUSAGE_CHILDREN.rawValue))
    }

    func processorsBusyWithOthers(since start: Sample) -> Double {
        let wall = wallSeconds - start.wallSeconds
        let others = (allBusySeconds - start.allBusySeconds) - (ownSeconds - start.ownSeconds)
        return wall > 0 ? max(0, others) / wall : 0
    }

    private static func seconds(of who: CInt) -> Double {
        var usage = rusage()
        getrusage(who, &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
        }
    }
}
