// Misuse that ends the process says why, in release builds too: the standard library's `precondition` keeps its text out
// of those. Everything that an embedder can get wrong and that is no typed error goes through here.

internal import Glibc

/// Ends the process with `text` on standard error unless `condition` holds. In every build; for what the caller has
/// to see to. (What the code itself must guarantee is `assert`ed.)
@inlinable @inline(__always)
public func require(_ condition: Bool, _ text: @autoclosure () -> String) {
    if _slowPath(!condition) { endProcess(text()) }
}

/// Ends the process with `text` on standard error.
@inline(never)
public func endProcess(_ text: String) -> Never {
    noteMisuse(text)
    var line = "stillpoint: \(text)\n"
    line.withUTF8 { bytes in
        // One write, so that lines of several threads do not mix; there is nobody left to tell if it fails.
        _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
    abort()
}
