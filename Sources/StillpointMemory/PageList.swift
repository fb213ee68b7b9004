// A doubly linked list of pages through the links in their records. A page is in one list at most.

/// Whoever has the right to the list has the right to the links of the pages in it: the owner of the heap that
/// holds the list, or whoever holds the interpreter heap's mutex.
@unsafe
struct PageList {
    private(set) var first: UnsafeMutablePointer<Page>?
    private(set) var last: UnsafeMutablePointer<Page>?

    init() {
        unsafe first = nil
        unsafe last = nil
    }

    mutating func prepend(_ page: UnsafeMutablePointer<Page>) {
        unsafe assert(page.pointee.next == nil && page.pointee.previous == nil && first != page)
        unsafe page.pointee.next = first
        if let first = unsafe first { unsafe first.pointee.previous = page } else { unsafe last = page }
        unsafe first = page
    }

    mutating func append(_ page: UnsafeMutablePointer<Page>) {
        unsafe assert(page.pointee.next == nil && page.pointee.previous == nil && first != page)
        unsafe page.pointee.previous = last
        if let last = unsafe last { unsafe last.pointee.next = page } else { unsafe first = page }
        unsafe last = page
    }

    mutating func remove(_ page: UnsafeMutablePointer<Page>) {
        let (next, previous) = unsafe (page.pointee.next, page.pointee.previous)
        if let previous = unsafe previous {
            unsafe previous.pointee.next = next
        } else {
            unsafe assert(first == page)
            unsafe first = next
        }
        if let next = unsafe next {
            unsafe next.pointee.previous = previous
        } else {
            unsafe assert(last == page)
            unsafe last = previous
        }
        unsafe page.pointee.next = nil
        unsafe page.pointee.previous = nil
    }

    mutating func takeFirst() -> UnsafeMutablePointer<Page>? {
        guard let page = unsafe first else { return nil }
        unsafe remove(page)
        return unsafe page
    }

    /// Moves the first page to the end.
    mutating func rotate() {
        if let page = unsafe takeFirst() { unsafe append(page) }
    }

    /// Calls `body` with each page in turn. The list stays as it is.
    func forEach(_ body: (UnsafeMutablePointer<Page>) -> Void) {
        var page = unsafe first
        while let here = unsafe page {
            unsafe page = here.pointee.next
            unsafe body(here)
        }
    }
}
