// What --torture changes below the scenarios, for the whole process.

import StillpointMemory

enum Torture {
    /// So few blocks of a page are used that pages run full, are abandoned, adopted and emptied all the time.
    static let blocksInPage = 4

    /// Before the first runtime is made.
    static func set(_ isOn: Bool) {
        if isOn { InterpreterHeap.limitPages(toBlocks: blocksInPage) }
    }
}
