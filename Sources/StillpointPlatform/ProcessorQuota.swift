// How much processor time the control groups of Linux leave to this process. A container with a
// quota of two processors on a machine of 64 would otherwise run 64 threads that take turns on two.
//
// /proc/self/cgroup names the process's group in each hierarchy, /proc/self/mountinfo where that
// hierarchy is mounted, and from which of its groups on (a container sees only its own part). A
// quota holds for all groups below, so the smallest on the way up counts.
//
//   version 2   <mount>/<group>/cpu.max            "150000 100000" or "max 100000"
//   version 1   <mount>/<group>/cpu.cfs_quota_us   "150000" or "-1"; the period in cpu.cfs_period_us

enum ProcessorQuota {
    /// The smallest quota in whole processors, rounded up, at least 1; `nil` where there is none.
    /// `readText` gives the text of a file, `nil` if it cannot be read.
    static func processorLimit(readText: (String) -> String?) -> Int? {
        guard let groups = readText("/proc/self/cgroup"),
            let mounts = readText("/proc/self/mountinfo")
        else { return nil }
        let hierarchies = mounts.split(separator: "\n").compactMap(Hierarchy.init)
        var limit: Int?
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu") else { continue }
            for hierarchy in hierarchies where hierarchy.isUnified == isUnified {
                for folder in hierarchy.folders(of: String(fields[2])) {
                    guard let quota = quota(in: folder, isUnified: isUnified, readText) else { continue }
                    limit = min(limit ?? quota, quota)
                }
            }
        }
        return limit
    }

    /// A mounted hierarchy that can hold processor quotas.
    private struct Hierarchy {
        let isUnified: Bool
        /// The group that is seen at the mount point.
        let root: String
        let mountPoint: String

        /// A line of mountinfo: `id parent device root point options … - type source options`.
        init?(_ line: Substring) {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count >= dash + 4 else {
                return nil
            }
            switch fields[dash + 1] {
            case "cgroup2": isUnified = true
            case "cgroup" where fields[dash + 3].split(separator: ",").contains("cpu"):
                isUnified = false
            default: return nil
            }
            root = String(fields[3])
            mountPoint = String(fields[4])
        }

        /// The folder of `group` and of the groups above it, up to the mount point.
        func folders(of group: String) -> [String] {
            var below: Substring
            if root == "/" {
                below = group[...]
            } else if group.hasPrefix(root + "/") {
                below = group.dropFirst(root.count)
            } else {
                below = ""  // the root itself, or a group outside of what is mounted here
            }
            var folders: [String] = []
            while let slash = below.lastIndex(of: "/") {
                if below != "/" { folders.append(mountPoint + below) }
                below = below[..<slash]
            }
            return folders + [mountPoint]
        }
    }

    private static func quota(
        in folder: String, isUnified: Bool, _ readText: (String) -> String?
    ) -> Int? {
        func words(_ file: String) -> [Substring] {
            readText(folder + "/" + file)?.split(whereSeparator: \.isWhitespace) ?? []
        }
        let pair = isUnified
            ? words("cpu.max") : words("cpu.cfs_quota_us") + words("cpu.cfs_period_us")
        guard pair.count == 2, let quota = Int(pair[0]), let period = Int(pair[1]),
            quota > 0, period > 0
        else { return nil }
        return quota / period + (quota % period == 0 ? 0 : 1)
    }
}
