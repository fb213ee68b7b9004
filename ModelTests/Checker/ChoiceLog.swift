// The choices of a run, in order: all that it takes to make it again.

/// Which alternative was taken wherever there were two or more. As text, a token: each choice other than the first
/// alternative is a letter (`a` the second, `b` the third), after the number of first alternatives that came before it.
final class ChoiceLog {
    @exclusivity(unchecked) private var indices = GrowingBuffer<UInt8>(capacity: 1024)

    init() {}

    func deallocate() { indices.deallocate() }

    func removeAll() { indices.removeAll() }

    @inline(__always)
    func append(_ index: Int) { _ = indices.append(UInt8(truncatingIfNeeded: index)) }

    var token: String {
        var text = ""
        var zeros = 0
        for position in 0..<indices.count {
            let index = indices[position].pointee
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

    /// Nil if it is no token.
    static func indices(of token: String) -> [UInt8]? {
        var indices: [UInt8] = []
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
        return beyond == 0 && !token.isEmpty ? indices : nil
    }
}
