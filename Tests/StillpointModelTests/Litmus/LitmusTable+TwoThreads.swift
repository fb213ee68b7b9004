// Litmus tests of two threads and two locations. Names as in Alglave, Maranget, Tautschnig: Herding Cats, TOPLAS
// 2014.

@testable import StillpointModel

extension LitmusTest {
    /// Store buffering: both reads miss the other's write.
    static let storeBuffering: [LitmusTest] = [
        LitmusTest("SB", "relaxed", [W(x, 1), R(y)], [W(y, 1), R(x)], domains: [bit, bit]),
        LitmusTest(
            "SB", "release/acquire", [W(x, 1, .release), R(y, .acquire)], [W(y, 1, .release), R(x, .acquire)],
            domains: [bit, bit], reason: "they do not order a write before a later read of another location"),
        LitmusTest(
            "SB", "sc", [W(x, 1, .sc), R(y, .sc)], [W(y, 1, .sc), R(x, .sc)], domains: [bit, bit], forbidden: "00"),
        LitmusTest(
            "SB", "sc writes, acquire reads", [W(x, 1, .sc), R(y, .acquire)], [W(y, 1, .sc), R(x, .acquire)],
            domains: [bit, bit], reason: "the reads take no part in psc"),
        LitmusTest(
            "SB", "sc in one thread", [W(x, 1, .sc), R(y, .sc)], [W(y, 1, .release), R(x, .acquire)],
            domains: [bit, bit]),
        LitmusTest(
            "SB", "sc fences", [W(x, 1), .fence(.sc), R(y)], [W(y, 1), .fence(.sc), R(x)], domains: [bit, bit],
            forbidden: "00"),
        LitmusTest("SB", "one sc fence", [W(x, 1), .fence(.sc), R(y)], [W(y, 1), R(x)], domains: [bit, bit]),
        LitmusTest(
            "SB", "acquire-release fences", [W(x, 1), .fence(.acquireRelease), R(y)],
            [W(y, 1), .fence(.acquireRelease), R(x)], domains: [bit, bit]),
        LitmusTest(
            "SB", "sc fence, sc accesses", [W(x, 1), .fence(.sc), R(y)], [W(y, 1, .sc), R(x, .sc)],
            domains: [bit, bit], forbidden: "00", reason: "psc_base joins the fence and the accesses"),
        LitmusTest(
            "SB", "exchanges for writes, acquire-release", [.exchange(x, 1, .acquireRelease), R(y, .acquire)],
            [.exchange(y, 1, .acquireRelease), R(x, .acquire)], found: "0000 0001 0100 0101",
            reason: "a read-modify-write that is not sc is no fence"),
        LitmusTest(
            "SB", "exchanges for writes, sc", [.exchange(x, 1, .sc), R(y, .sc)], [.exchange(y, 1, .sc), R(x, .sc)],
            found: "0001 0100 0101", forbidden: "0000"),
        LitmusTest(
            "SB", "updates of a third location between", [W(x, 1), .add(z, 1, .acquireRelease), R(y)],
            [W(y, 1), .add(z, 1, .acquireRelease), R(x)], found: "0011 0111 1100 1101", forbidden: "0010 1000",
            reason: "one update reads the other, and so acquires the write before it"),
        LitmusTest(
            "SB", "sc, a relaxed write after the first", [W(x, 1, .sc), W(x, 2), R(y, .sc)],
            [W(y, 1, .sc), R(x, .sc)], found: "01 02 10 11 12", forbidden: "00"),
    ]

    /// Message passing: the flag is seen, the message is not.
    static let messagePassing: [LitmusTest] = [
        LitmusTest("MP", "relaxed", [W(x, 1), W(y, 1)], [R(y), R(x)], domains: [bit, bit]),
        LitmusTest(
            "MP", "release/acquire", [W(x, 1), W(y, 1, .release)], [R(y, .acquire), R(x)], domains: [bit, bit],
            forbidden: "10"),
        LitmusTest("MP", "release/relaxed", [W(x, 1), W(y, 1, .release)], [R(y), R(x)], domains: [bit, bit]),
        LitmusTest("MP", "relaxed/acquire", [W(x, 1), W(y, 1)], [R(y, .acquire), R(x)], domains: [bit, bit]),
        LitmusTest(
            "MP", "sc", [W(x, 1, .sc), W(y, 1, .sc)], [R(y, .sc), R(x, .sc)], domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "MP", "sc write, relaxed read", [W(x, 1, .sc), W(y, 1, .sc)], [R(y), R(x, .sc)], domains: [bit, bit]),
        LitmusTest(
            "MP", "release fence, acquire fence", [W(x, 1), .fence(.release), W(y, 1)], [R(y), .fence(.acquire), R(x)],
            domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "MP", "sc fences", [W(x, 1), .fence(.sc), W(y, 1)], [R(y), .fence(.sc), R(x)], domains: [bit, bit],
            forbidden: "10"),
        LitmusTest(
            "MP", "release fence, acquire read", [W(x, 1), .fence(.release), W(y, 1)], [R(y, .acquire), R(x)],
            domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "MP", "release write, acquire fence", [W(x, 1), W(y, 1, .release)], [R(y), .fence(.acquire), R(x)],
            domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "MP", "release fence, no acquire", [W(x, 1), .fence(.release), W(y, 1)], [R(y), R(x)], domains: [bit, bit]),
        LitmusTest(
            "MP", "no release, acquire fence", [W(x, 1), W(y, 1)], [R(y), .fence(.acquire), R(x)], domains: [bit, bit]),
        LitmusTest(
            "MP", "acquire fence where release is wanted", [W(x, 1), .fence(.acquire), W(y, 1)], [R(y, .acquire), R(x)],
            domains: [bit, bit]),
        LitmusTest(
            "MP", "release fence before the message", [.fence(.release), W(x, 1), W(y, 1)], [R(y, .acquire), R(x)],
            domains: [bit, bit]),
        LitmusTest(
            "MP", "acquire fence before the flag's read", [W(x, 1), W(y, 1, .release)], [.fence(.acquire), R(y), R(x)],
            domains: [bit, bit]),
    ]

    /// Load buffering: both reads see the other's later write.
    static let loadBuffering: [LitmusTest] = [
        LitmusTest(
            "LB", "relaxed", [R(x), W(y, 1)], [R(y), W(x, 1)], domains: [bit, bit], forbidden: "11",
            reason: "C++ allows it; RC11 forbids all cycles of program order and reads-from"),
        LitmusTest(
            "LB", "release/acquire", [R(x, .acquire), W(y, 1, .release)], [R(y, .acquire), W(x, 1, .release)],
            domains: [bit, bit], forbidden: "11"),
        LitmusTest(
            "LB", "updates", [R(x), .add(y, 1, .relaxed)], [R(y), .add(x, 1, .relaxed)], found: "0000 0010 1000",
            forbidden: "1010", reason: "as the relaxed one"),
        LitmusTest(
            "LB", "sc", [R(x, .sc), W(y, 1, .sc)], [R(y, .sc), W(x, 1, .sc)], domains: [bit, bit], forbidden: "11"),
    ]

    /// Two writes each: both first writes come last.
    static let writes: [LitmusTest] = [
        LitmusTest("2+2W", "relaxed", [W(x, 1), W(y, 2)], [W(y, 1), W(x, 2)], finals: [x, y], domains: [left, left]),
        LitmusTest(
            "2+2W", "release", [W(x, 1, .release), W(y, 2, .release)], [W(y, 1, .release), W(x, 2, .release)],
            finals: [x, y], domains: [left, left], reason: "nobody reads, so nothing is acquired"),
        LitmusTest(
            "2+2W", "sc", [W(x, 1, .sc), W(y, 2, .sc)], [W(y, 1, .sc), W(x, 2, .sc)], finals: [x, y],
            domains: [left, left], forbidden: "|11"),
        LitmusTest(
            "2+2W", "sc fences", [W(x, 1), .fence(.sc), W(y, 2)], [W(y, 1), .fence(.sc), W(x, 2)], finals: [x, y],
            domains: [left, left], forbidden: "|11"),
        LitmusTest(
            "2+2W", "acquire-release fences", [W(x, 1), .fence(.acquireRelease), W(y, 2)],
            [W(y, 1), .fence(.acquireRelease), W(x, 2)], finals: [x, y], domains: [left, left]),
        LitmusTest(
            "2+2W", "sc, one write release", [W(x, 1, .sc), W(y, 2, .release)], [W(y, 1, .sc), W(x, 2, .sc)],
            finals: [x, y], domains: [left, left]),
        LitmusTest("R", "relaxed", [W(x, 1), W(y, 1)], [W(y, 2), R(x)], finals: [y], domains: [bit, left]),
        LitmusTest(
            "R", "release/acquire", [W(x, 1, .release), W(y, 1, .release)], [W(y, 2, .release), R(x, .acquire)],
            finals: [y], domains: [bit, left]),
        LitmusTest(
            "R", "sc", [W(x, 1, .sc), W(y, 1, .sc)], [W(y, 2, .sc), R(x, .sc)], finals: [y], domains: [bit, left],
            forbidden: "0|2"),
        LitmusTest(
            "R", "sc fences", [W(x, 1), .fence(.sc), W(y, 1)], [W(y, 2), .fence(.sc), R(x)], finals: [y],
            domains: [bit, left], forbidden: "0|2"),
        LitmusTest(
            "R", "release fence, sc fence", [W(x, 1), .fence(.release), W(y, 1)], [W(y, 2), .fence(.sc), R(x)],
            finals: [y], domains: [bit, left]),
        LitmusTest("S", "relaxed", [W(x, 2), W(y, 1)], [R(y), W(x, 1)], finals: [x], domains: [bit, left]),
        LitmusTest(
            "S", "release/acquire", [W(x, 2), W(y, 1, .release)], [R(y, .acquire), W(x, 1)], finals: [x],
            domains: [bit, left], forbidden: "1|2"),
        LitmusTest(
            "S", "release fence, acquire fence", [W(x, 2), .fence(.release), W(y, 1)],
            [R(y), .fence(.acquire), W(x, 1)], finals: [x], domains: [bit, left], forbidden: "1|2"),
        LitmusTest(
            "S", "release/relaxed", [W(x, 2), W(y, 1, .release)], [R(y), W(x, 1)], finals: [x], domains: [bit, left]),
        LitmusTest(
            "S", "sc", [W(x, 2, .sc), W(y, 1, .sc)], [R(y, .sc), W(x, 1, .sc)], finals: [x], domains: [bit, left],
            forbidden: "1|2"),
    ]
}
