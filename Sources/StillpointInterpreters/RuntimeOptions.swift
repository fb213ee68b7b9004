// What can be chosen when a runtime is made, and how the environment chooses.

public import StillpointPlatform

/// The choices of one runtime.
public struct RuntimeOptions: Sendable, Equatable {
    /// A collection becomes due when at least this many bytes were allocated since the last one, and more than it
    /// kept. In bytes.
    public var minimumCollectionByteCount: Int
    /// Whether collections become due by themselves.
    public var collectsAutomatically = true
    /// Whether each collection is checked by the slow oracle: every count, and what it kept. For tests.
    public var verifiesCollections = false
    /// What `makeInterpreter` does when it is not told: no lock, one for each interpreter, or one for all of them.
    public var interpreterLock = InterpreterLockChoice.none
    /// Makes stops find detaching threads by looking again every millisecond instead of being told. For comparison
    /// in benchmarks alone.
    public var rescansStops = false

    /// The defaults, whatever the environment says.
    public init() { minimumCollectionByteCount = Self.minimumCollectionBytes.defaultValue }

    /// The defaults, changed by the `STILLPOINT_` variables of the process.
    /// - Throws: `.option` for the first value that does not parse.
    public static func fromEnvironment() throws(RuntimeError) -> RuntimeOptions {
        var options = RuntimeOptions()
        do throws(OptionError) {
            options.minimumCollectionByteCount = try minimumCollectionBytes.value()
            options.collectsAutomatically = try automaticCollection.value()
            options.verifiesCollections = try verifyCollections.value()
            options.interpreterLock = try EnvironmentOptions.interpreterLock.value()
            options.rescansStops = try EnvironmentOptions.stopRescan.value()
        } catch { throw .option(error) }
        return options
    }

    // MARK: Environment

    static let minimumCollectionBytes = EnvironmentOption.byteCount(
        "STILLPOINT_COLLECTION_BYTES", default: 64 << 20, in: 4096...(1 << 40),
        help: "Bytes allocated since the last collection from which on one becomes due.")

    static let automaticCollection = EnvironmentOption.boolean(
        "STILLPOINT_COLLECT", default: true,
        help: "Whether collections become due by themselves.")

    static let verifyCollections = EnvironmentOption.boolean(
        "STILLPOINT_VERIFY_COLLECTIONS", default: false,
        help: "Whether a slow oracle checks every collection.")

    /// The variables that this floor adds to `EnvironmentOptions.rows`.
    public static let rows: [OptionRow] = [
        minimumCollectionBytes.row, automaticCollection.row, verifyCollections.row,
    ]
}
