// Which characters a word is made of: letters, marks and numbers by their Unicode general category.
// Below U+10000 the answer is one bit of a table that is computed once.

struct WordScalars: Sendable {
    static let shared = WordScalars()

    private let basicPlane: [UInt64]

    private init() {
        var bits = [UInt64](repeating: 0, count: 0x10000 / 64)
        for value in UInt32(0x80)..<0x10000 {
            if let scalar = Unicode.Scalar(value), Self.isWordCategory(scalar) {
                bits[Int(value >> 6)] |= 1 << UInt64(value & 63)
            }
        }
        basicPlane = bits
    }

    /// `value` is a scalar at or above U+0080.
    func contains(_ value: UInt32) -> Bool {
        if value < 0x10000 {
            return basicPlane[Int(value >> 6)] >> UInt64(value & 63) & 1 != 0
        }
        return Unicode.Scalar(value).map(Self.isWordCategory) ?? false
    }

    private static func isWordCategory(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark,
            .decimalNumber, .letterNumber, .otherNumber:
            true
        default:
            false
        }
    }
}

/// For each ASCII byte: the byte that it contributes to a word (lower case), or 0 when it ends one.
enum WordBytes {
    static let ends: UInt8 = 0
    /// No ASCII byte: look at the whole scalar.
    static let isBeyondASCII: UInt8 = 0xFF

    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for byte in 0..<256 {
            table[byte] = switch UInt8(byte) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                UInt8(byte)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt8(byte) | 0x20
            case 0x80...0xFF: isBeyondASCII
            default: ends
            }
        }
        return UnsafePointer(table)
    }()
}
