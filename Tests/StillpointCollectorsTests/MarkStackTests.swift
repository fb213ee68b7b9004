import StillpointPlatform
import Testing

@testable import StillpointCollectors

@Suite struct MarkStackTests {
    /// Distinct addresses that nobody looks at.
    private func address(_ number: Int) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: number * 16 + 16)!
    }

    @Test func `what was pushed comes back in the opposite order, whatever the number`() throws {
        for count in [0, 1, 2, MarkStack.initialCapacity, MarkStack.initialCapacity * 3 + 1] {
            var stack = try MarkStack()
            for number in 0..<count { stack.push(address(number)) }
            for number in (0..<count).reversed() { #expect(stack.pop() == address(number)) }
            #expect(stack.pop() == nil)
            let overflowed = stack.takeOverflow()
            #expect(!overflowed)
        }
    }

    @Test func `a stack at its limit drops a push and says so, once`() throws {
        for limit in 1...4 {
            var stack = try MarkStack(limit: limit)
            for number in 0..<limit { stack.push(address(number)) }
            #expect(stack.takeOverflow() == false)
            stack.push(address(limit))
            #expect(stack.takeOverflow() == true)
            #expect(stack.takeOverflow() == false)
            for number in (0..<limit).reversed() { #expect(stack.pop() == address(number)) }
            #expect(stack.pop() == nil)
        }
    }

    @Test func `a limit that is no doubling of the start is reached`() throws {
        let limit = MarkStack.initialCapacity + 7
        var stack = try MarkStack(limit: limit)
        for number in 0..<limit { stack.push(address(number)) }
        #expect(stack.takeOverflow() == false)
        stack.push(address(0))
        #expect(stack.takeOverflow() == true)
    }
}
