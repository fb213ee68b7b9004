// Finds the regular files under some paths, each file once.
//
// A file or folder is known by its device and inode, so neither a loop of symbolic links nor a
// path given twice leads to the same place again. Links wait until all real folders have been
// walked: a file keeps its own path where it has one in reach, whatever order links come in.
// Entries whose name begins with a dot are passed over, unless given as a path.
//
// Files come out in the order of their paths' bytes, root by root where `keepsRootOrder` says so.
import Foundation

struct FoundFile: Sendable {
    let path: BytePath
    /// When it was found; no more of it is read. The file may be shorter when it is read.
    let byteCount: Int
}

struct FileDiscovery {
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private(set) var files: [FoundFile] = []
    private(set) var skipped: [SkippedFile] = []
    /// Entries passed over since their name begins with a dot.
    private(set) var hiddenCount = 0
    /// Links, or paths given again, to a file or folder that was found already.
    private(set) var repeatedCount = 0

    private var seen: Set<Identity> = []
    private var links: [BytePath] = []
    private let calls: FileCalls

    /// Walks each root in turn. Throws before any walk begins when one of them does not exist.
    init(
        roots: [BytePath], keepsRootOrder: Bool = false, calls: FileCalls = .system
    ) throws(CommandFailure) {
        self.calls = calls
        for root in roots { try Self.check(root) }
        var ordered: [FoundFile] = []
        for root in roots {
            visit(root, isGiven: true)
            if keepsRootOrder {
                walkLinks()
                ordered += files.sorted { $0.path < $1.path }
                files = []
            }
        }
        walkLinks()
        files = ordered + files.sorted { $0.path < $1.path }
        skipped.sort { $0.path < $1.path }
    }

    private static func check(_ root: BytePath) throws(CommandFailure) {
        guard !root.bytes.isEmpty else { throw .noInput("an empty path was given") }
        var facts = stat()
        if root.withCString({ stat($0, &facts) }) != 0 {
            let reason = errno
            switch reason {
            case ENOENT, ENOTDIR: throw .noInput("no such file or folder: \(root.text)")
            case ELOOP: throw .noInput("a loop of symbolic links: \(root.text)")
            default: throw .noInput("\(root.text): \(String(cString: strerror(reason)))")
            }
        }
        let kind = facts.st_mode & S_IFMT
        if kind != S_IFREG && kind != S_IFDIR {
            throw .noInput("neither a file nor a folder: \(root.text)")
        }
    }

    // MARK: - One entry

    /// A given root is followed where it leads at once; any other link waits.
    private mutating func visit(_ path: BytePath, isGiven: Bool) {
        var facts = stat()
        let failed = path.withCString { isGiven ? stat($0, &facts) : lstat($0, &facts) } != 0
        if failed { return skip(path, errno == ENOENT ? .vanished : .unreadable) }
        if facts.st_mode & S_IFMT == S_IFLNK { return links.append(path) }
        enter(path, facts)
    }

    private mutating func enter(_ path: BytePath, _ facts: stat) {
        let kind = facts.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFDIR else { return skip(path, .special) }
        let identity = Identity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
        guard seen.insert(identity).inserted else {
            repeatedCount += 1
            return
        }
        if kind == S_IFREG {
            files.append(FoundFile(path: path, byteCount: Int(facts.st_size)))
        } else {
            walk(path)
        }
    }

    private mutating func skip(_ path: BytePath, _ reason: SkipReason) {
        skipped.append(SkippedFile(path: path, reason: reason))
    }

    // MARK: - Folders and links

    /// Folders are walked from a list, not by recursion: how deep they are nested costs no stack.
    private mutating func walk(_ root: BytePath) {
        var folders = [root]
        while let folder = folders.popLast() {
            guard let names = names(in: folder) else {
                skip(folder, .unreadable)
                continue
            }
            for name in names {
                if name.first == UInt8(ascii: ".") {
                    hiddenCount += 1
                    continue
                }
                let path = folder.appending(name)
                var facts = stat()
                if path.withCString({ lstat($0, &facts) }) != 0 {
                    skip(path, errno == ENOENT ? .vanished : .unreadable)
                } else if facts.st_mode & S_IFMT == S_IFLNK {
                    links.append(path)
                } else if facts.st_mode & S_IFMT == S_IFDIR {
                    let identity = Identity(
                        device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
                    if seen.insert(identity).inserted {
                        folders.append(path)
                    } else {
                        repeatedCount += 1
                    }
                } else {
                    enter(path, facts)
                }
            }
        }
    }

    /// What a folder behind a link holds may be links again: they join the end of the list.
    private mutating func walkLinks() {
        var next = 0
        links.sort()
        while next < links.count {
            let link = links[next]
            next += 1
            var facts = stat()
            if link.withCString({ stat($0, &facts) }) != 0 {
                switch errno {
                case ENOENT, ENOTDIR: skip(link, .danglingLink)
                case ELOOP: skip(link, .linkLoop)
                default: skip(link, .unreadable)
                }
            } else if facts.st_mode & S_IFMT == S_IFDIR, Self.leadsBack(link) {
                skip(link, .linkLoop)
            } else {
                enter(link, facts)
            }
        }
        links = []
    }

    /// Whether a link stands below the folder that it leads to.
    private static func leadsBack(_ link: BytePath) -> Bool {
        guard let target = link.resolved, let place = link.parent.resolved else { return false }
        return place.isWithin(target)
    }

    /// Sorted, so that the walk does not depend on the folder's own order; nil when it is unreadable.
    private func names(in folder: BytePath) -> [[UInt8]]? {
        guard let stream = folder.withCString({ calls.openFolder($0) }) else { return nil }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                Array(bytes.prefix { $0 != 0 })
            }
            if name != [UInt8(ascii: ".")] && name != Array("..".utf8) { names.append(name) }
        }
        guard errno == 0 else { return nil }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
