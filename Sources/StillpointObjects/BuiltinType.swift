// The types that every runtime has, at indices known when this is compiled.

internal import StillpointPlatform

/// Indices of the built-in types.
public enum BuiltinType {
    @inlinable public static var bytes: UInt32 { 1 }
    @inlinable public static var array: UInt32 { 2 }
    @inlinable public static var list: UInt32 { 3 }
    @inlinable public static var listStorage: UInt32 { 4 }
    @inlinable public static var dictionary: UInt32 { 5 }
    @inlinable public static var dictionaryStorage: UInt32 { 6 }
    /// Old storage of a list, and of a dictionary, that waits for its grace period in a queue of deferred frees. It
    /// has no references that count. A collection leaves it alone: it neither marks nor frees it.
    @inlinable public static var retiredListStorage: UInt32 { 7 }
    @inlinable public static var retiredDictionaryStorage: UInt32 { 8 }
    @inlinable public static var count: Int { 8 }

    /// Whether a type is that of old storage.
    @inlinable
    public static func isRetired(_ index: UInt32) -> Bool {
        index == retiredListStorage || index == retiredDictionaryStorage
    }

    /// Fills an empty table's first entries.
    static func addAll(to types: UnsafeMutablePointer<TypeTable>) throws(TypeError) {
        let reference = VariablePart.references.layout
        let entry = ElementLayout(
            byteCount: UInt32(DictionaryEntry.byteCount), references: DictionaryEntry.references)
        try unsafe add("bytes", bytes, 16, VariablePart.bytes.layout, to: types)
        try unsafe add("array", array, 8, reference, to: types)
        try unsafe add("list", list, 16, nil, references: [0], to: types)
        try unsafe add("list storage", listStorage, 8, reference, to: types)
        try unsafe add("dictionary", dictionary, 16, nil, references: [0], to: types)
        try unsafe add("dictionary storage", dictionaryStorage, 8, entry, to: types)
        try unsafe addRetired(
            "old list storage", retiredListStorage, like: reference, to: types)
        try unsafe addRetired(
            "old dictionary storage", retiredDictionaryStorage, like: entry, to: types)
    }

    private static func add(
        _ name: String, _ index: UInt32, _ payloadByteCount: Int, _ elements: ElementLayout?,
        references: [Int] = [], isRetired: Bool = false, to types: UnsafeMutablePointer<TypeTable>
    ) throws(TypeError) {
        let added = try unsafe types.add(
            TypeLayout(
                name: name, payloadByteCount: payloadByteCount, referenceOffsets: references),
            elements: elements ?? VariablePart.none.layout, payloadType: nil, isRetired: isRetired)
        require(added == index, "built-in types are added first, in the order of their indices")
    }

    private static func addRetired(
        _ name: String, _ index: UInt32, like elements: ElementLayout,
        to types: UnsafeMutablePointer<TypeTable>
    ) throws(TypeError) {
        try unsafe add(
            name, index, 8, ElementLayout(byteCount: elements.byteCount, references: 0),
            isRetired: true, to: types)
    }
}
