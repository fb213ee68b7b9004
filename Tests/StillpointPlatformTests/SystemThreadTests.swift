import Glibc
import Synchronization
import Testing

@testable import StillpointPlatform

/// What a thread of a test finds out about itself.
private struct Finding: ~Copyable {
    var name = ""
    var affinity = 0
    var stackByteCount = 0
    let runs = Atomic(0)

    static func nameOfThisThread() -> String {
        String((SystemFile.text("/proc/thread-self/comm") ?? "").dropLast())
    }

    /// The GNU call that tells it has no Swift binding.
    static func stackByteCountOfThisThread() -> Int {
        typealias GetAttributes = @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> CInt
        let call = unsafeBitCast(dlsym(nil, "pthread_getattr_np")!, to: GetAttributes.self)
        var attributes = pthread_attr_t()
        guard call(pthread_self(), &attributes) == 0 else { return 0 }
        var size = 0
        pthread_attr_getstacksize(&attributes, &size)
        pthread_attr_destroy(&attributes)
        return size
    }
}

private func fillFinding(_ address: UnsafeMutableRawPointer?) {
    let finding = address!.assumingMemoryBound(to: Finding.self)
    finding.pointee.name = Finding.nameOfThisThread()
    finding.pointee.stackByteCount = Finding.stackByteCountOfThisThread()
    finding.pointee.affinity = Processors.affinityCount
    finding.pointee.runs.wrappingAdd(1, ordering: .releasing)
}

private func withFinding(_ body: (UnsafeMutablePointer<Finding>) throws -> Void) rethrows {
    let finding = UnsafeMutablePointer<Finding>.allocate(capacity: 1)
    finding.initialize(to: Finding())
    defer {
        finding.deinitialize(count: 1)
        finding.deallocate()
    }
    try body(finding)
}

@Suite struct SystemThreadTests {
    @Test func `a thread runs its body once with its argument, and join waits for it`() throws {
        for _ in 0..<200 {
            try withFinding { finding in
                let thread = try SystemThread.start(name: "", argument: finding) {
                    SystemThread.yield()
                    fillFinding($0)
                }
                thread.join()
                #expect(finding.pointee.runs.load(ordering: .relaxed) == 1)
            }
        }
    }

    @Test func `plain writes before the start and before the end are seen on the other side`() throws {
        let number = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        defer { number.deallocate() }
        number.initialize(to: 41)
        let thread = try SystemThread.start(name: "adder", argument: number) {
            $0!.assumingMemoryBound(to: Int.self).pointee += 1
        }
        thread.join()
        #expect(number.pointee == 42)
    }

    @Test(arguments: [
        ("worker", "worker"), ("fifteen letters", "fifteen letters"),
        ("sixteen letters.", "sixteen letters"), ("fourteen text é", "fourteen text "),
        ("thirteen txt é€", "thirteen txt é"), ("🧵🧵🧵🧵", "🧵🧵🧵"),
    ])
    func `a thread has its name, cut to whole characters of 15 bytes`(given: String, shown: String) throws {
        try withFinding { finding in
            try SystemThread.start(name: given, argument: finding, body: fillFinding).join()
            #expect(finding.pointee.name == shown)
        }
    }

    @Test func `a name ends at a zero byte`() throws {
        try withFinding { finding in
            try SystemThread.start(name: "with\0zero", argument: finding, body: fillFinding).join()
            #expect(finding.pointee.name == "with")
        }
    }

    @Test func `a thread without a name has its starter's`() throws {
        let own = Finding.nameOfThisThread()
        try withFinding { finding in
            try SystemThread.start(name: "", argument: finding, body: fillFinding).join()
            #expect(finding.pointee.name == own)
        }
    }

    @Test func `a thread has the stack it was given`() throws {
        for byteCount in [256 << 10, 1 << 20, 64 << 20] {
            try withFinding { finding in
                try SystemThread.start(
                    name: "stack", stackByteCount: byteCount, argument: finding, body: fillFinding
                ).join()
                let size = finding.pointee.stackByteCount
                // The C library may give it a stack that is left over, up to four times as large.
                #expect(size >= byteCount && size <= 5 * byteCount)
            }
        }
    }

    @Test func `a thread stays on the processor it was given`() throws {
        let processor = try #require((0..<1024).first(where: Processors.isUsable))
        try withFinding { finding in
            try SystemThread.start(
                name: "pinned", processor: processor, argument: finding, body: fillFinding
            ).join()
            #expect(finding.pointee.affinity == 1)
            try SystemThread.start(name: "free", argument: finding, body: fillFinding).join()
            #expect(finding.pointee.affinity == Processors.affinityCount)
        }
    }

    @Test func `a stack and a processor can be given together`() throws {
        let processor = try #require((0..<1024).first(where: Processors.isUsable))
        try withFinding { finding in
            try SystemThread.start(
                name: "both", stackByteCount: 1 << 20, processor: processor, argument: finding,
                body: fillFinding
            ).join()
            #expect(finding.pointee.affinity == 1)
            #expect(finding.pointee.stackByteCount <= 5 << 20)
        }
    }

    @Test(arguments: [-1, -5_000_000_000, 1023, 1024, Int.max])
    func `a processor that is not there is an error`(processor: Int) {
        // A machine of 1,024 processors would have the last of these.
        guard !Processors.isUsable(processor) else { return }
        withFinding { finding in
            let error = #expect(throws: PlatformError.self) {
                _ = try SystemThread.start(
                    name: "", processor: processor, argument: finding, body: fillFinding)
            }
            #expect(error?.errorNumber == EINVAL)
            #expect(finding.pointee.runs.load(ordering: .relaxed) == 0)
        }
    }

    @Test(arguments: [0, 1, -1, Int.min])
    func `a stack that is too small is an error`(byteCount: Int) {
        #expect(throws: PlatformError(call: "pthread_attr_setstacksize", errorNumber: EINVAL)) {
            _ = try SystemThread.start(name: "", stackByteCount: byteCount, argument: nil) { _ in }
        }
    }

    @Test func `a stack larger than the address space is an error`() {
        let error = #expect(throws: PlatformError.self) {
            _ = try SystemThread.start(name: "", stackByteCount: 1 << 52, argument: nil) { _ in }
        }
        #expect(error?.call.description == "pthread_create")
    }

    @Test func `a start that fails leaves no memory behind`() async {
        // In a process of its own, which takes 5 MB or more if 120,000 blocks are lost. AddressSanitizer keeps freed blocks
        // for a while, and finds lost ones by itself.
        await #expect(processExitsWith: .success) {
            func failedStarts(_ count: Int) {
                for _ in 0..<count {
                    _ = try? SystemThread.start(name: "none", stackByteCount: 1, argument: nil) { _ in }
                    _ = try? SystemThread.start(name: "none", processor: 1023, argument: nil) { _ in }
                }
            }
            guard !Processors.isUsable(1023), dlsym(nil, "__asan_init") == nil else { return }
            failedStarts(1000)
            let before = try ProcessMemory.residentByteCount()
            failedStarts(60_000)
            #expect(try ProcessMemory.residentByteCount() < before + (3 << 20))
        }
    }

    @Test func `a detached thread ends by itself`() throws {
        try withFinding { finding in
            let thread = try SystemThread.start(name: "detached", argument: finding, body: fillFinding)
            thread.detach()
            while finding.pointee.runs.load(ordering: .acquiring) == 0 { SystemThread.yield() }
            // The body's last access is the count.
        }
    }

    @Test func `many threads live at once`() throws {
        try withFinding { finding in
            let threads = try (0..<300).map { index in
                try SystemThread.start(
                    name: "t\(index)", stackByteCount: 256 << 10, argument: finding
                ) {
                    $0!.assumingMemoryBound(to: Finding.self).pointee.runs.wrappingAdd(1, ordering: .relaxed)
                }
            }
            for thread in threads { thread.join() }
            #expect(finding.pointee.runs.load(ordering: .relaxed) == 300)
        }
    }

    @Test func `a thread that joins itself traps`() async {
        await #expect(processExitsWith: .failure) {
            let slot = UnsafeMutablePointer<SystemThread>.allocate(capacity: 1)
            let isSet = UnsafeMutablePointer<Atomic<Bool>>.allocate(capacity: 1)
            isSet.initialize(to: Atomic(false))
            let pair = UnsafeMutablePointer<(UnsafeMutablePointer<SystemThread>, UnsafeMutablePointer<Atomic<Bool>>)>
                .allocate(capacity: 1)
            pair.initialize(to: (slot, isSet))
            slot.initialize(to: try SystemThread.start(name: "self", argument: pair) { joinItself($0!) })
            isSet.pointee.store(true, ordering: .releasing)
            while true { SystemThread.yield() }
        }
    }

    @Test func `sleep lasts until its deadline`() {
        let deadline = MonotonicClock.nanoseconds() + 3_000_000
        SystemThread.sleep(untilNanoseconds: deadline)
        #expect(MonotonicClock.nanoseconds() >= deadline)
        SystemThread.sleep(untilNanoseconds: 0)
    }
}

private func joinItself(_ address: UnsafeMutableRawPointer) {
    typealias Pair = (UnsafeMutablePointer<SystemThread>, UnsafeMutablePointer<Atomic<Bool>>)
    let (slot, isSet) = address.assumingMemoryBound(to: Pair.self).pointee
    while !isSet.pointee.load(ordering: .acquiring) { SystemThread.yield() }
    slot.pointee.join()
}

@Suite struct MonotonicClockTests {
    @Test func `the clock never goes back`() {
        var earlier = MonotonicClock.nanoseconds()
        for _ in 0..<100_000 {
            let now = MonotonicClock.nanoseconds()
            guard now >= earlier else {
                Issue.record("\(now) after \(earlier)")
                return
            }
            earlier = now
        }
    }

    @Test func `the clock is the one of futex deadlines`() {
        let word = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
        word.initialize(to: Atomic(1))
        defer { word.deallocate() }
        let deadline = MonotonicClock.nanoseconds() + 2_000_000
        while MonotonicClock.nanoseconds() < deadline {
            #expect(Futex.wait(on: word, while: 1, untilNanoseconds: deadline) != .valueDiffers)
        }
        #expect(Futex.wait(on: word, while: 1, untilNanoseconds: deadline) == .timedOut)
        #expect(Futex.wait(on: word, while: 2, untilNanoseconds: deadline) == .valueDiffers)
        #expect(Futex.wake(word) == 0)
    }

    @Test func `a sleeper on a futex is woken`() throws {
        let word = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
        word.initialize(to: Atomic(0))
        defer { word.deallocate() }
        let thread = try SystemThread.start(name: "sleeper", argument: word) {
            let word = $0!.assumingMemoryBound(to: Atomic<UInt32>.self)
            while word.pointee.load(ordering: .acquiring) == 0 { _ = Futex.wait(on: word, while: 0) }
        }
        spinHint()
        word.pointee.store(1, ordering: .releasing)
        Futex.wake(word, count: .max)
        thread.join()
    }
}
