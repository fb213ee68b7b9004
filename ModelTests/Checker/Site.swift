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

/// What an instruction's address is called.
private enum InstructionName {
    static func of(_ address: UInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { text in
            sp_model_describe(address, text.baseAddress!, text.count)
            return String(cString: text.baseAddress!)
        }
    }
}
