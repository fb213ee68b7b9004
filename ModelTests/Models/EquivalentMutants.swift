#if ModelCheck
// Mutants that change nothing that matters, each with its argument. Few: an ordering that no model needs is weakened
// in the source instead.

import StillpointModel

struct EquivalentMutant {
    let file: String
    /// A part of the source text at the place.
    let code: String
    let change: Mutant.Change
    let reason: String

    static func find(_ mutant: Mutant) -> EquivalentMutant? {
        let code = MutantCatalog.code(at: mutant.site)
        return all.first {
            mutant.site.fileID.hasSuffix("/" + $0.file) && code.contains($0.code) && mutant.change == $0.change
        }
    }

    static let all: [EquivalentMutant] = [
        // [ran]: docs/memory-model.md, "Counting out".
        EquivalentMutant(
            file: "StopTheWorld.swift", code: "resumedCount.load(", change: .relaxed, reason: loadBuffering),
        EquivalentMutant(
            file: "Attachment.swift", code: "resumedCount.wrappingSubtract(", change: .relaxed, reason: loadBuffering),
        EquivalentMutant(file: "Attachment.swift", code: "~ThreadWord.isResumed", change: .relaxed, reason: loadBuffering),
    ]

    private static let loadBuffering =
        "forbids what only load buffering shows, which the checker never does (a cycle of program order and reads-from)"
}
#endif
