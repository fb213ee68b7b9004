// What every floor throws when the operating system says no: the call and its error number. A plain
// value: making, throwing and comparing it allocates nothing, so it also serves where memory is
// out.

internal import Glibc

/// A call of the operating system failed.
public struct PlatformError: Error, Equatable, CustomStringConvertible, Sendable {
    /// The call that failed, as its manual page names it; for a file also the path.
    public let call: StaticString
    /// The value of `errno`, such as `ENOMEM`.
    public let errorNumber: CInt

    public init(call: StaticString, errorNumber: CInt) {
        self.call = call
        self.errorNumber = errorNumber
    }

    /// The error of `call`, which has just failed on this thread and left its reason in `errno`.
    static func last(_ call: StaticString) -> PlatformError {
        PlatformError(call: call, errorNumber: errno)
    }

    /// For people: the call, the system's words for the error, and its number.
    public var description: String {
        let words = unsafe strerror(errorNumber).map { unsafe String(cString: $0) }
        return "\(call): \(words ?? "unknown error") (error \(errorNumber))"
    }

    public static func == (left: PlatformError, right: PlatformError) -> Bool {
        guard left.errorNumber == right.errorNumber,
            left.call.utf8CodeUnitCount == right.call.utf8CodeUnitCount
        else { return false }
        return unsafe memcmp(
            left.call.utf8Start, right.call.utf8Start, left.call.utf8CodeUnitCount) == 0
    }
}
