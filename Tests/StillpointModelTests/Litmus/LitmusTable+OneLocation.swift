// Litmus tests of one location: coherence, which relaxed accesses have already, and the atomicity of updates.

@testable import StillpointModel

extension LitmusTest {
    static let coherence: [LitmusTest] = [
        LitmusTest("CoRR", "relaxed", [W(x, 1)], [R(x), R(x)], domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "CoRR", "two writers, two readers", [W(x, 1)], [W(x, 2)], [R(x), R(x)], [R(x), R(x)],
            found: "1212 2121 0012 1222 1122", isWhole: false, forbidden: "1221 2112 1000 0020 1021"),
        LitmusTest("CoWW", "relaxed", [W(x, 1), W(x, 2)], finals: [x], found: "|2", forbidden: "|1"),
        LitmusTest(
            "CoWW", "two writers", [W(x, 1), W(x, 2)], [W(x, 3)], finals: [x], found: "|2 |3", forbidden: "|1"),
        LitmusTest("CoRW", "one thread", [R(x), W(x, 1)], finals: [x], found: "0|1", forbidden: "1|1"),
        LitmusTest(
            "CoRW", "relaxed", [R(x), W(x, 1)], [W(x, 2)], finals: [x], found: "0|1 0|2 2|1", forbidden: "2|2 1|1 1|2"),
        LitmusTest(
            "CoWR", "relaxed", [W(x, 1), R(x)], [W(x, 2)], finals: [x], found: "1|1 1|2 2|2", forbidden: "0|1 0|2 2|1"),
        LitmusTest(
            "CoRR", "the first read by another thread", [W(x, 1)], [R(x), W(y, 1, .release)], [R(y, .acquire), R(x)],
            domains: [bit, bit, bit], forbidden: "110", reason: "coherence goes by happens-before, over threads too"),
    ]

    static let updates: [LitmusTest] = [
        LitmusTest(
            "RMW", "two increments", [.add(x, 1, .relaxed)], [.add(x, 1, .relaxed)], finals: [x], found: "01|2 10|2",
            forbidden: "00|1"),
        LitmusTest(
            "RMW", "three increments", [.add(x, 1, .relaxed)], [.add(x, 1, .relaxed)], [.add(x, 1, .relaxed)],
            finals: [x], found: "012|3 021|3 102|3 120|3 201|3 210|3", forbidden: "001|2"),
        LitmusTest(
            "RMW", "three exchanges", [.exchange(x, 1, .relaxed)], [.exchange(x, 2, .relaxed)],
            [.exchange(x, 3, .relaxed)], finals: [x], found: "012|3 031|2 201|3 302|1 310|2 230|1"),
        LitmusTest(
            "RMW", "against a write", [.add(x, 1, .relaxed)], [W(x, 5)], finals: [x], found: "0|5 5|6",
            forbidden: "0|1", reason: "the write may not come between the update and what it read"),
        LitmusTest(
            "RMW", "two comparisons, one succeeds", [.compareExchange(x, 0, 1, .relaxed, .relaxed)],
            [.compareExchange(x, 0, 2, .relaxed, .relaxed)], finals: [x], found: "01|1 20|2", forbidden: "00|1 00|2"),
        LitmusTest(
            "RMW", "a comparison that fails may read an old value", [W(x, 1), W(x, 2)],
            [.compareExchange(x, 7, 8, .relaxed, .relaxed)], finals: [x], found: "0|2 1|2 2|2"),
        LitmusTest(
            "MP+CAS", "failure relaxed", [W(x, 1), W(y, 1, .release)],
            [.compareExchange(y, 5, 6, .acquireRelease, .relaxed), R(x)], domains: [bit, bit],
            reason: "a comparison that failed is a load with the failure ordering"),
        LitmusTest(
            "MP+CAS", "failure acquire", [W(x, 1), W(y, 1, .release)],
            [.compareExchange(y, 5, 6, .relaxed, .acquire), R(x)], domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "MP+CAS", "success relaxed, failure acquire", [W(x, 1), W(y, 1, .release)],
            [.compareExchange(y, 1, 2, .relaxed, .acquire), R(x)], domains: [bit, bit]),
        LitmusTest(
            "MP+CAS", "success acquire, failure relaxed", [W(x, 1), W(y, 1, .release)],
            [.compareExchange(y, 1, 2, .acquire, .relaxed), R(x)], domains: [bit, bit], forbidden: "10"),
        LitmusTest(
            "SB+CAS", "sc, failing relaxed", [W(x, 1, .sc), .compareExchange(y, 5, 6, .sc, .relaxed)],
            [W(y, 1, .sc), .compareExchange(x, 5, 6, .sc, .relaxed)], domains: [bit, bit]),
        LitmusTest(
            "SB+CAS", "sc, failing sc", [W(x, 1, .sc), .compareExchange(y, 5, 6, .sc, .sc)],
            [W(y, 1, .sc), .compareExchange(x, 5, 6, .sc, .sc)], domains: [bit, bit], forbidden: "00"),
    ]

    /// A release write and the updates that continue it (C++20, [intro.races]).
    static let releaseSequences: [LitmusTest] = [
        LitmusTest(
            "RS", "a later relaxed write of the same thread", [W(x, 1), W(y, 1, .release), W(y, 2)],
            [R(y, .acquire), R(x)], found: "00 01 11 20 21", forbidden: "10",
            reason: "in C++11 it continued the sequence; in C++20 it does not, so 20 is allowed"),
        LitmusTest(
            "RS", "a relaxed update of the same thread", [W(x, 1), W(y, 1, .release), .add(y, 2, .relaxed)],
            [R(y, .acquire), R(x)], found: "100 101 111 131", forbidden: "110 130"),
        LitmusTest(
            "RS", "a relaxed update of another thread", [W(x, 1), W(y, 1, .release)], [.add(y, 2, .relaxed)],
            [R(y, .acquire), R(x)], found: "000 001 011 020 021 100 101 111 131", forbidden: "010 110 130"),
        LitmusTest(
            "RS", "two relaxed updates of other threads", [W(x, 1), W(y, 1, .release)],
            [.compareExchange(y, 1, 2, .relaxed, .relaxed)], [.compareExchange(y, 2, 3, .relaxed, .relaxed)],
            [R(y, .acquire), R(x)], found: "1231 1221 1211", isWhole: false, forbidden: "1230 1220 1210"),
        LitmusTest(
            "RS", "a relaxed write of another thread", [W(x, 1), W(y, 1, .release)], [W(y, 2)],
            [R(y, .acquire), R(x)], found: "00 01 11 20 21", forbidden: "10"),
        LitmusTest(
            "RS", "headed by a release fence, a relaxed update of another thread",
            [W(x, 1), .fence(.release), W(y, 1)], [.add(y, 2, .relaxed)], [R(y), .fence(.acquire), R(x)],
            found: "000 001 011 020 021 100 101 111 131", forbidden: "010 110 130"),
        LitmusTest(
            "RS", "two heads: a release update continues another's", [W(x, 1), W(y, 1, .release)],
            [W(z, 1), .compareExchange(y, 1, 2, .release, .relaxed)], [R(y, .acquire), R(x), R(z)],
            found: "1211 0000 1000 1111 1110", isWhole: false, forbidden: "1201 1210 1200"),
    ]
}
