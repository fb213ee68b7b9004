// The choices of a run, in order: all that it takes to make it again.

/// Which alternative was taken wherever there were two or more. As text, a token: each choice other than the first
/// alternative is a letter (`a` the second, `b` the third), after the number of first alternatives that came before it.
struct ChoiceLog {
    private(set) var indices: [UInt8] = []

    mutating func removeAll() { indices.removeAll(keepingCapacity: true) }

    @inline(__always)
    mutating func append(_ index: Int) { indices.append(UInt8(truncatingIfNeeded: index)) }

    var token: String {
        var text = ""
        var zeros = 0
        for index in indices {
            if index == 0 {
                zeros += 1
                continue
            }
            if zeros > 0 { text += String(zeros) }
            zeros = 0
            text += String(repeating: "z", count: Int(index - 1) / 25)
            text.unicodeScalars.append(.init(UInt8(ascii: "a") + (index - 1) % 25))
        }
        return text.isEmpty ? "0" : text
    }

    init() { indices.reserveCapacity(1024) }

    /// Nil if it is no token.
    init?(token: String) {
        var zeros = 0
        var beyond = 0
        for byte in token.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                zeros = zeros * 10 + Int(byte - UInt8(ascii: "0"))
                guard zeros < 1_000_000 else { return nil }
            case UInt8(ascii: "z"): beyond += 25
            case UInt8(ascii: "a")..<UInt8(ascii: "z"):
                indices.append(contentsOf: repeatElement(0, count: zeros))
                let index = beyond + Int(byte - UInt8(ascii: "a")) + 1
                guard index < 256 else { return nil }
                indices.append(UInt8(index))
                (zeros, beyond) = (0, 0)
            default: return nil
            }
        }
        guard beyond == 0, !token.isEmpty else { return nil }
    }
}
