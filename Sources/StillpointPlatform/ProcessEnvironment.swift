// The variables that the process was started with. The C library guards them by nothing: they are
// read at set-up, before anybody calls setenv on another thread.

internal import CStillpoint
internal import Glibc

/// The process's environment variables, as far as they are ours.
public enum ProcessEnvironment {
    /// What the names of our variables begin with.
    public static let prefix = "STILLPOINT_"

    /// The value of a variable, `nil` if it is not set. Bytes that are not UTF-8 are shown as
    /// U+FFFD.
    public static func value(of name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// The names of all variables that begin with `STILLPOINT_`, in order.
    public static func names() -> [String] {
        var names: [String] = []
        guard var entry = unsafe sp_environment() else { return [] }
        while let text = unsafe entry.pointee {
            let name = unsafe String(cString: text).prefix { $0 != "=" }
            if name.hasPrefix(prefix) { names.append(String(name)) }
            unsafe entry += 1
        }
        return names.sorted()
    }
}
