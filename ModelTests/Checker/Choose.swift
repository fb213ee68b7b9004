// Where a run could go on in several ways, who explores it decides.

/// Picks one of `count` (at least 2) alternatives. 0 is the newest one, which sequential consistency would take.
public typealias Choose = (_ count: Int) -> Int
