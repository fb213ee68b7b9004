// What one call of `stillpoint index` counted and timed: the one source of both reports, the one for
// people (TextReport.swift) and the one for programs (JSON, with these names as its keys).

struct IndexReport: Codable, Sendable {
    var version: String
    var paths: [String]
    var input: Input
    /// The one-thread run, then the run with the threads asked for.
    var runs: [Run]
    /// Wall time of the first run divided by that of the second; null when both had one thread.
    @WrittenAsNull var speedUp: Double?
    var query: Query
    /// After the later half of the documents was dropped and its cycles were collected.
    var halfDropped: Drop
    /// After the other half was dropped, too.
    var allDropped: Drop
    /// Every stop of the world in the second run.
    var pauses: Durations
    /// From the request of a stop to the moment when all threads had stopped, in the second run.
    var timeToSafepoint: Durations
    var memory: Memory
    var checks: [Check]

    struct Input: Codable, Sendable {
        /// No path was given: these limits held.
        var defaultLimit: Limit?
        var filesFound: Int
        var filesIndexed: Int
        /// Files that the limits left out.
        var filesLeftOut: Int
        /// Bytes of text, as far as it was indexed.
        var bytes: Int
        /// Words, each as often as it occurs.
        var words: Int
        var distinctWords: Int
        /// Words of over 64 bytes, of which the first 64 counted.
        var cutWords: Int
        var hiddenEntries: Int
        var repeatedEntries: Int
        var skippedCount: Int
        var skippedByReason: [String: Int]
        var skipped: [Skipped]
        /// Files that ended before the size that they had when they were found.
        var shrunk: [String]
        /// Files that went on after the size that they had when they were found: they were read up to it.
        var grown: [String]
        /// Files whose text was another one in the second run.
        var changed: [String]
    }

    struct Limit: Codable, Sendable {
        var bytes: Int
        var seconds: Int
        var isReached: Bool
    }

    struct Skipped: Codable, Sendable {
        var path: String
        var reason: String
    }

    struct Run: Codable, Sendable {
        var threads: Int
        var wallNanoseconds: UInt64
        var files: Int
        var bytes: Int
        var words: Int
        var distinctWords: Int
        /// Objects of the managed heap, and the bytes of their blocks.
        var objects: Int
        var objectBytes: Int
        var collections: Int
    }

    struct Query: Codable, Sendable {
        var words: [String]
        /// No query was given: these are the words that most documents hold.
        var isDefault: Bool
        var nanoseconds: UInt64
        var documents: Int
        var top: [Hit]
    }

    struct Hit: Codable, Sendable {
        var path: String
        /// How often the words of the query stand in it, all together.
        var count: Int
    }

    struct Drop: Codable, Sendable {
        var documents: Int
        /// Words that stood in dropped documents only.
        var words: Int
        /// Before anything was dropped.
        var objectsBefore: Int
        /// When the collection began: what counts free at once is gone by then.
        var objectsFound: Int
        /// Objects freed by the collector, since only cycles referred to them.
        var cyclicObjectsFreed: Int
        /// All that the collector freed: those in cycles and what only they referred to.
        var objectsFreedByCollector: Int
        var collectionPauseNanoseconds: UInt64
        var objectsLeft: Int
        var objectBytesLeft: Int
    }

    struct Durations: Codable, Sendable {
        var count: Int
        /// Each of them, when there are fewer than 20.
        var nanoseconds: [UInt64]?
        var p50Nanoseconds: UInt64?
        var p99Nanoseconds: UInt64?
        var longestNanoseconds: UInt64
    }

    struct Memory: Codable, Sendable {
        /// Resident before the first run.
        var startBytes: Int
        var peakBytes: Int
        var indexedBytes: Int
        var halfDroppedBytes: Int
        var finalBytes: Int
        /// What is left of the peak, both taken above the start.
        var finalShareOfPeak: Double
    }

    struct Check: Codable, Sendable {
        var name: String
        /// null: it could not be made.
        @WrittenAsNull var isPassed: Bool?
        var detail: String
    }
}
