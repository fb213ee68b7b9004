// Where an operation stands in the source. Small and trivial, as each operation of a run keeps one: two pointers into
// constant text and a line, or the address of an instruction for a plain access that the compiler reported.

internal import CStillpointModel

/// The place of an operation.
public struct Site: Sendable, BitwiseCopyable, Equatable, CustomStringConvertible {
    private let fileBits: UInt
    private let functionBits: UInt
    let line: UInt

    public init(fileID: StaticString, line: UInt, function: StaticString) {
        self.init(file: fileID.utf8Start, line: line, function: function.utf8Start)
    }

    /// Both texts end with a zero and are never freed.
    init(file: UnsafePointer<UInt8>, line: UInt, function: UnsafePointer<UInt8>) {
        fileBits = UInt(bitPattern: file)
        functionBits = UInt(bitPattern: function)
        self.line = line
    }

    /// A plain access, known by the address of the instruction after it.
    public init(instruction: UInt) {
        fileBits = 0
        functionBits = instruction
        line = 0
    }

    public static let unknown = Site(instruction: 0)

    /// `Module/File.swift`; empty for a plain access.
    public var fileID: String { Self.text(fileBits) }

    var function: String {
        guard fileBits == 0 else { return Self.text(functionBits) }
        guard functionBits != 0 else { return "an unknown place" }
        return InstructionName.of(functionBits)
    }

    public var description: String {
        fileBits == 0 ? function : "\(fileID):\(line) \(function)"
    }

    /// The same for all places of one file, in one image.
    var fileKey: UInt { fileBits }

    private static func text(_ bits: UInt) -> String {
        UnsafePointer<CChar>(bitPattern: bits).map { String(cString: $0) } ?? ""
    }
}

/// What an instruction's address is called, as far as the program's symbols say.
private enum InstructionName {
    static func of(_ address: UInt) -> String {
        var offset = 0
        let known = sp_model_symbol(address, &offset).map { String(cString: $0) }
        guard let known else { return "0x" + String(address, radix: 16) }
        return "\(demangled(known)) + \(offset)"
    }

    private static func demangled(_ symbol: String) -> String {
        guard let text = sp_model_demangle(symbol) else { return symbol }
        defer { sp_model_free(text) }
        return String(cString: text)
    }
}
