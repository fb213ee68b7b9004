// What the runtime knows of a type: how large its instances are, where their references lie, how their payload ends.
//
//   0        16                    16 + payloadByteCount
//   header   payload               elements, if there is a variable part; how many stands first in the payload

internal import StillpointMemory
public import StillpointPlatform

/// The part of an object whose length is each object's own. Its length, a number of elements, is the first 8 bytes of
/// the payload and never changes.
public enum VariablePart: Equatable, Sendable {
    case none
    case references
    case bytes

    var layout: ElementLayout {
        switch self {
        case .none: ElementLayout(byteCount: 0, references: 0)
        case .references: ElementLayout(byteCount: 8, references: 1)
        case .bytes: ElementLayout(byteCount: 1, references: 0)
        }
    }
}

/// An element of a variable part: its size, and which of its 8-byte words are references, as bits.
struct ElementLayout: Equatable, Sendable {
    var byteCount: UInt32
    var references: UInt32
}

/// The layout of a type that is made by hand; a `ManagedPayload` describes itself.
@safe
public struct TypeLayout {
    public var name: String
    /// The size of the payload without the variable part, in bytes.
    public var payloadByteCount: Int
    /// Offsets of reference slots from the beginning of the payload, multiples of 8.
    public var referenceOffsets: [Int]
    public var variablePart: VariablePart
    /// Ends the payload at the address given, when the object dies; its references are given up for it. It neither
    /// detaches nor passes a safepoint.
    public var destroy: (@convention(c) (UnsafeMutableRawPointer) -> Void)?

    public init(
        name: String, payloadByteCount: Int, referenceOffsets: [Int] = [],
        variablePart: VariablePart = .none,
        destroy: (@convention(c) (UnsafeMutableRawPointer) -> Void)? = nil
    ) {
        self.name = name
        self.payloadByteCount = payloadByteCount
        self.referenceOffsets = referenceOffsets
        self.variablePart = variablePart
        unsafe self.destroy = unsafe destroy
    }
}

/// A type's entry in the type table. Immutable once the index is given out.
@unsafe
public struct TypeDescriptor {
    /// The size of the payload without the variable part, in bytes.
    public internal(set) var payloadByteCount: Int
    /// Offsets of the reference slots from the header.
    @usableFromInline var referenceOffsets: UnsafeMutablePointer<UInt32>?
    public internal(set) var referenceCount: Int
    /// 0: no variable part.
    @usableFromInline var elementByteCount: UInt32
    @usableFromInline var elementReferences: UInt32
    /// Old storage of a container: see `Retirement`.
    public internal(set) var isRetired: Bool
    /// The payload, if a Swift type whose end does something.
    @usableFromInline var payloadType: (any ManagedPayload.Type)?
    @usableFromInline var destroy: (@convention(c) (UnsafeMutableRawPointer) -> Void)?
    /// UTF-8.
    var name: UnsafeMutableBufferPointer<UInt8>
}

/// Why a type could not be made.
public enum TypeError: Error, Equatable, CustomStringConvertible {
    /// The runtime's table of types is full.
    case tooManyTypes
    /// A member that the type lists among its references is no stored `Field`, or lies where no slot can: at this
    /// place in the list.
    case notAReference(position: Int)
    /// The payload asks for more than 16 bytes of alignment.
    case unsuitableAlignment(Int)
    /// The payload, in bytes, is larger than 2^31, or too small for its variable part.
    case unsuitableSize(Int)
    /// There is no memory for the entry.
    case outOfMemory(PlatformError)

    public var description: String {
        switch self {
        case .tooManyTypes: "the runtime has no room for another type"
        case .notAReference(let position):
            "reference number \(position) of the payload is not a stored member of type Field"
        case .unsuitableAlignment(let alignment):
            "the payload asks for an alignment of \(alignment) bytes; 16 is the most"
        case .unsuitableSize(let byteCount):
            "a payload of \(byteCount) bytes is too large, or too small for its variable part"
        case .outOfMemory(let cause): "no memory for a type: \(cause)"
        }
    }
}
