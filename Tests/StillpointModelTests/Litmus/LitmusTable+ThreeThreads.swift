// Litmus tests of three and four threads: what is seen by one is seen by others, or need not be.
// RC11's own examples are from Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017.

@testable import StillpointModel

extension LitmusTest {
    /// Write-to-read causality, and the same over one location more.
    static let causality: [LitmusTest] = [
        LitmusTest("WRC", "relaxed", [W(x, 1)], [R(x), W(y, 1)], [R(y), R(x)], domains: [bit, bit, bit]),
        LitmusTest(
            "WRC", "release/acquire", [W(x, 1, .release)], [R(x, .acquire), W(y, 1, .release)], [R(y, .acquire), R(x)],
            domains: [bit, bit, bit], forbidden: "110"),
        LitmusTest(
            "WRC", "relaxed first read", [W(x, 1)], [R(x), W(y, 1, .release)], [R(y, .acquire), R(x)],
            domains: [bit, bit, bit], forbidden: "110", reason: "coherence: the first read happens before the last"),
        LitmusTest(
            "WRC", "relaxed second write", [W(x, 1, .release)], [R(x, .acquire), W(y, 1)], [R(y, .acquire), R(x)],
            domains: [bit, bit, bit]),
        LitmusTest(
            "WRC", "fences", [W(x, 1)], [R(x), .fence(.acquireRelease), W(y, 1)], [R(y), .fence(.acquire), R(x)],
            domains: [bit, bit, bit], forbidden: "110"),
        LitmusTest(
            "WRC", "sc", [W(x, 1, .sc)], [R(x, .sc), W(y, 1, .sc)], [R(y, .sc), R(x, .sc)], domains: [bit, bit, bit],
            forbidden: "110"),
        LitmusTest("ISA2", "relaxed", [W(x, 1), W(y, 1)], [R(y), W(z, 1)], [R(z), R(x)], domains: [bit, bit, bit]),
        LitmusTest(
            "ISA2", "release/acquire", [W(x, 1), W(y, 1, .release)], [R(y, .acquire), W(z, 1, .release)],
            [R(z, .acquire), R(x)], domains: [bit, bit, bit], forbidden: "110"),
        LitmusTest(
            "ISA2", "relaxed read in the middle", [W(x, 1), W(y, 1, .release)], [R(y), W(z, 1, .release)],
            [R(z, .acquire), R(x)], domains: [bit, bit, bit]),
        LitmusTest(
            "ISA2", "fences", [W(x, 1), .fence(.release), W(y, 1)], [R(y), .fence(.acquireRelease), W(z, 1)],
            [R(z), .fence(.acquire), R(x)], domains: [bit, bit, bit], forbidden: "110"),
        LitmusTest(
            "ISA2", "acquire fence in the middle", [W(x, 1), W(y, 1, .release)], [R(y), .fence(.acquire), W(z, 1)],
            [R(z, .acquire), R(x)], domains: [bit, bit, bit]),
        LitmusTest(
            "ISA2", "sc fences in the first and last thread", [W(x, 1), .fence(.sc), W(y, 1, .release)],
            [R(y, .acquire), W(z, 1)], [R(z), .fence(.sc), R(x)], domains: [bit, bit, bit], forbidden: "110",
            reason: "psc_F goes by the relaxed write that is read: hb ; rf ; hb"),
        LitmusTest(
            "WWC", "relaxed", [W(x, 2)], [R(x), W(y, 1)], [R(y), W(x, 1)], finals: [x],
            domains: [0...2, bit, left], forbidden: "11|1 11|2", reason: "11 would be a cycle as in LB"),
        LitmusTest(
            "WWC", "release/acquire", [W(x, 2, .release)], [R(x, .acquire), W(y, 1, .release)],
            [R(y, .acquire), W(x, 1, .release)], finals: [x], domains: [0...2, bit, left],
            forbidden: "11|1 11|2 21|2"),
    ]

    /// Read-to-write causality: a write seen by one thread, missed by another that has written before.
    static let readWriteCausality: [LitmusTest] = [
        LitmusTest("RWC", "relaxed", [W(x, 1)], [R(x), R(y)], [W(y, 1), R(x)], domains: [bit, bit, bit]),
        LitmusTest(
            "RWC", "release/acquire", [W(x, 1, .release)], [R(x, .acquire), R(y, .acquire)],
            [W(y, 1, .release), R(x, .acquire)], domains: [bit, bit, bit]),
        LitmusTest(
            "RWC", "sc", [W(x, 1, .sc)], [R(x, .sc), R(y, .sc)], [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit, bit],
            forbidden: "100"),
        LitmusTest(
            "RWC", "sc fences", [W(x, 1)], [R(x), .fence(.sc), R(y)], [W(y, 1), .fence(.sc), R(x)],
            domains: [bit, bit, bit], forbidden: "100", reason: "RWC+syncs of the RC11 paper: C++11 allowed it"),
        LitmusTest(
            "RWC", "sc, the first read acquire", [W(x, 1, .sc)], [R(x, .acquire), R(y, .sc)], [W(y, 1, .sc), R(x, .sc)],
            domains: [bit, bit, bit],
            reason: "weakened in RC11: from the write to the second read there is hb, but no scb"),
        LitmusTest(
            "RWC", "sc, handed over by a third location", [W(x, 1, .sc), W(z, 1, .release)],
            [R(z, .acquire), R(y, .sc)],
            [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit, bit], forbidden: "100",
            reason: "sb to another location; hb; sb from another location is in scb"),
        LitmusTest(
            "RWC", "sc accesses, an sc fence after the hand-over", [W(x, 1, .sc), W(z, 1, .release)],
            [R(z, .acquire), .fence(.sc), R(y)], [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit, bit],
            forbidden: "100"),
        LitmusTest(
            "RWC", "sc accesses, an sc fence before the hand-over", [W(x, 1), .fence(.sc), W(z, 1, .release)],
            [R(z, .acquire), R(y, .sc)], [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit, bit], forbidden: "100"),
        LitmusTest(
            "RWC", "sc accesses, an sc fence after a relaxed read", [W(x, 1, .sc)], [R(x), .fence(.sc), R(y)],
            [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit, bit], forbidden: "100"),
        LitmusTest(
            "RWC", "an sc fence, sc accesses in the other thread", [W(x, 1)], [R(x), .fence(.sc), R(y)],
            [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit, bit],
            reason: "unlike two fences: the write does not happen before the fence"),
        LitmusTest(
            "RWC", "sc, handed over by a later write of the same location", [W(x, 1, .sc), W(x, 2, .release)],
            [R(x, .acquire), R(y, .sc)], [W(y, 1, .sc), R(x, .sc)], domains: [0...2, bit, 0...2],
            reason: "weakened in RC11: sb to the same location is no part of scb's way over other threads"),
        LitmusTest(
            "W+RWC", "sc fences", [W(x, 1), W(z, 1, .release)], [R(z, .acquire), .fence(.sc), R(y)],
            [W(y, 1), .fence(.sc), R(x)], domains: [bit, bit, bit], forbidden: "100"),
        LitmusTest(
            "W+RWC", "acquire-release fences", [W(x, 1), W(z, 1, .release)],
            [R(z, .acquire), .fence(.acquireRelease), R(y)], [W(y, 1), .fence(.acquireRelease), R(x)],
            domains: [bit, bit, bit]),
        LitmusTest(
            "Z6.U", "of the RC11 paper", [W(x, 1, .sc), W(y, 1, .release)], [.add(y, 1, .sc), R(y)],
            [W(y, 3, .sc), R(x, .sc)], found: "130", isWhole: false,
            reason: "C++11 forbade it, Power's compilation showed it; RC11 allows it"),
        LitmusTest(
            "Z6.U", "sc", [W(x, 1, .sc), W(y, 1, .sc)], [.add(y, 1, .sc), R(y, .sc)], [W(y, 3, .sc), R(x, .sc)],
            found: "131", isWhole: false, forbidden: "130"),
    ]

    /// Independent reads of independent writes: two readers see them in opposite orders.
    static let independentReads: [LitmusTest] = [
        iriw("relaxed", .relaxed, .relaxed, .relaxed),
        iriw("release/acquire", .release, .acquire, .acquire),
        iriw("sc", .sc, .sc, .sc, forbidden: "1010"),
        iriw("sc writes, acquire reads", .sc, .acquire, .acquire),
        iriw(
            "sc, the first reads acquire", .sc, .acquire, .sc,
            reason: "IRIW-acq-sc of the RC11 paper: forbidden by C++11, shown by Power, allowed by RC11"),
        iriw("sc fences", .relaxed, .relaxed, .relaxed, fence: .sc, forbidden: "1010"),
        iriw("acquire-release fences", .relaxed, .relaxed, .relaxed, fence: .acquireRelease),
    ]

    private static func iriw(
        _ variant: String, _ write: MemoryOrder, _ first: MemoryOrder, _ second: MemoryOrder, fence: MemoryOrder? = nil,
        forbidden: String = "", reason: String = ""
    ) -> LitmusTest {
        let between = fence.map { [LitmusOperation.fence($0)] } ?? []
        return LitmusTest(
            "IRIW", variant, [W(x, 1, write)], [W(y, 1, write)], [R(x, first)] + between + [R(y, second)],
            [R(y, first)] + between + [R(x, second)], domains: [bit, bit, bit, bit], forbidden: forbidden,
            reason: reason)
    }

    /// The two-thread cycles, over three threads.
    static let rings: [LitmusTest] = [
        LitmusTest("3.SB", "relaxed", [W(x, 1), R(y)], [W(y, 1), R(z)], [W(z, 1), R(x)], domains: [bit, bit, bit]),
        LitmusTest(
            "3.SB", "sc", [W(x, 1, .sc), R(y, .sc)], [W(y, 1, .sc), R(z, .sc)], [W(z, 1, .sc), R(x, .sc)],
            domains: [bit, bit, bit], forbidden: "000"),
        LitmusTest(
            "3.SB", "sc fences", [W(x, 1), .fence(.sc), R(y)], [W(y, 1), .fence(.sc), R(z)],
            [W(z, 1), .fence(.sc), R(x)], domains: [bit, bit, bit], forbidden: "000"),
        LitmusTest(
            "3.2W", "release", [W(x, 1, .release), W(y, 2, .release)], [W(y, 1, .release), W(z, 2, .release)],
            [W(z, 1, .release), W(x, 2, .release)], finals: [x, y, z], domains: [left, left, left]),
        LitmusTest(
            "3.2W", "sc", [W(x, 1, .sc), W(y, 2, .sc)], [W(y, 1, .sc), W(z, 2, .sc)], [W(z, 1, .sc), W(x, 2, .sc)],
            finals: [x, y, z], domains: [left, left, left], forbidden: "|111"),
        LitmusTest(
            "3.LB", "relaxed", [R(x), W(y, 1)], [R(y), W(z, 1)], [R(z), W(x, 1)], domains: [bit, bit, bit],
            forbidden: "111", reason: "as LB"),
    ]

    static let table =
        storeBuffering + messagePassing + loadBuffering + writes + coherence + updates + releaseSequences + causality
        + readWriteCausality + independentReads + rings
}
