// Decodes one scalar beyond ASCII from the front of some bytes, strictly (Unicode 15, table 3-7): no
// overlong form, no surrogate, nothing past U+10FFFF. Bytes that end too early are told apart from
// bytes that can become no scalar, so that a scalar may be split between two pieces of a file.

enum UTF8Scalar: Equatable {
    case scalar(UInt32, byteCount: Int)
    /// Every byte so far may begin a scalar, and there is no more.
    case incomplete
    case invalid

    /// `bytes` holds at least one byte, and its first is 0x80 or more.
    static func decode(_ bytes: UnsafePointer<UInt8>, _ available: Int) -> UTF8Scalar {
        let lead = bytes[0]
        let byteCount: Int
        var value: UInt32
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF:
            byteCount = 2
            value = UInt32(lead & 0x1F)
        case 0xE0...0xEF:
            byteCount = 3
            value = UInt32(lead & 0x0F)
            if lead == 0xE0 { second = 0xA0...0xBF }
            if lead == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            byteCount = 4
            value = UInt32(lead & 0x07)
            if lead == 0xF0 { second = 0x90...0xBF }
            if lead == 0xF4 { second = 0x80...0x8F }
        default:
            return .invalid
        }
        var index = 1
        while index < byteCount {
            if index == available { return .incomplete }
            let byte = bytes[index]
            let allowed = index == 1 ? second : 0x80...0xBF
            if !allowed.contains(byte) { return .invalid }
            value = value << 6 | UInt32(byte & 0x3F)
            index += 1
        }
        return .scalar(value, byteCount: byteCount)
    }
}
