import Synchronization
import Testing

@testable import StillpointCommand

private final class Written: Sendable {
    let texts = Mutex<[String]>([])
}

@Suite struct ProgressLineTests {
    @Test func `nothing is written where there is no terminal`() {
        let written = Written()
        let line = ProgressLine(isShown: false) { text in written.texts.withLock { $0.append(text) } }
        line.update { "never" }
        line.clear()
        #expect(written.texts.withLock { $0 } == [])
    }

    @Test func `it is seen where both streams are terminals, and nowhere else`() {
        for terminals in [[], [1], [2], [1, 2]] as [Set<CInt>] {
            #expect(ProgressLine.isSeen { terminals.contains($0) } == (terminals.count == 2))
        }
    }

    @Test func `on a terminal a line stands over the one before, and not more often than it can be read`() {
        let written = Written()
        let line = ProgressLine(isShown: true) { text in written.texts.withLock { $0.append(text) } }
        for turn in 0..<1000 { line.update { "turn \(turn)" } }
        line.clear()
        let texts = written.texts.withLock { $0 }
        #expect(texts.first == "\r\u{1B}[Kturn 0")
        #expect(texts.last == "\r\u{1B}[K")
        #expect(texts.count < 100)
    }
}
