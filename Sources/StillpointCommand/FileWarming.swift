// Reads the files once before anything is timed, so that each of the runs compared finds them in the
// system's cache: otherwise the first would pay for the disk, and flatter the second. Like a run, it
// reads piece by piece into one buffer, and of a binary file the beginning only.
import Foundation

struct FileWarming {
    /// Those that were read, in the order given: all, unless a limit left some out.
    private(set) var files: [FoundFile] = []

    init(_ given: [FoundFile], limit: InputLimit?, calls: FileCalls, progress: ProgressLine) {
        let watch = Stopwatch()
        var reader = TextReader(calls: calls)
        var byteCount = 0
        for file in given {
            if let limit {
                // The first file is read whatever it takes: there is something to show then.
                if !files.isEmpty && watch.elapsedNanoseconds > limit.nanoseconds { break }
                if byteCount + file.byteCount > limit.byteCount { continue }
            }
            files.append(file)
            byteCount += Self.read(file, with: &reader) { sum in
                progress.update {
                    "reading once, untimed: \(Figures.count(files.count)) of "
                        + "\(Figures.count(given.count, "file")), "
                        + Figures.megabytes(byteCount + sum) + " read"
                }
            }
        }
    }

    /// How much of it counts for the limit: what is no text does not.
    private static func read(
        _ file: FoundFile, with reader: inout TextReader, _ update: (Int) -> Void
    ) -> Int {
        var sum = 0
        var piece = reader.begin(file.path, upTo: file.byteCount)
        while case .bytes(let count) = piece {
            sum += count
            update(sum)
            piece = reader.next()
        }
        return piece == .end ? sum : 0
    }
}
