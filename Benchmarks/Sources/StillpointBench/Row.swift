// One row of the table: a figure of ours beside the peer's, and whether their ratio is within its bound.

/// What a ratio, or a figure without a peer, is held to.
enum Bound: Encodable {
    case atMost(Double)
    case atLeast(Double)
    case moreThan(Double)
    /// Exactly none: a count that has to be zero.
    case zero

    /// By the figure as it is printed, to three digits: what is equal to the bound but for noise meets it.
    func isMet(by exactFigure: Double) -> Bool {
        let figure = Figure.rounded(exactFigure)
        return switch self {
        case .atMost(let limit): figure <= limit
        case .atLeast(let limit): figure >= limit
        case .moreThan(let limit): figure > limit
        case .zero: figure == 0
        }
    }

    /// The text, as it stands in the table.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    var text: String {
        switch self {
        case .atMost(let limit): "≤ \(Figure.plain(limit))"
        case .atLeast(let limit): "≥ \(Figure.plain(limit))"
        case .moreThan(let limit): "> \(Figure.plain(limit))"
        case .zero: "0"
        }
    }
}

/// How a figure is written.
enum Unit: String, Encodable {
    case nanoseconds
    case perSecond = "per second"
    case share
    case count

    func text(_ figure: Double) -> String {
        switch self {
        case .nanoseconds: Figure.duration(figure)
        case .perSecond: Figure.scaled(figure) + "/s"
        case .share: Figure.plain(figure * 100) + " %"
        case .count: Figure.scaled(figure)
        }
    }

    func text(_ spread: Spread) -> String {
        if spread.least == spread.most { return text(spread.median) }
        return "\(text(spread.median)) (\(text(spread.least)) … \(text(spread.most)))"
    }
}

/// One row of the table.
struct Row: Encodable {
    let what: String
    let unit: Unit
    let ours: Spread
    let peerName: String?
    let peer: Spread?
    /// Of ours to the peer's, round by round.
    let ratio: Spread?
    let bound: Bound?
    /// Of the ratio's median; of our least figure where there is no peer. Nil: stated without a bound.
    let isMet: Bool?
    let notes: [String]

    /// Ours beside a peer's.
    init(
        _ what: String, in unit: Unit = .nanoseconds, against peerName: String, _ rounds: [Round],
        bound: Bound?, notes: [String] = []
    ) {
        self.what = what
        self.unit = unit
        self.peerName = peerName
        ours = Spread(rounds.map(\.ours))
        peer = Spread(rounds.map(\.peer))
        let ratio = Spread(rounds.map(\.ratio))
        self.ratio = ratio
        self.bound = bound
        isMet = bound?.isMet(by: ratio.median)
        self.notes = notes
    }

    /// Ours alone: a count or a share that is held to a bound of its own. Never a time.
    init(_ what: String, in unit: Unit, _ ours: Spread, bound: Bound?, notes: [String] = []) {
        self.what = what
        self.unit = unit
        self.ours = ours
        self.bound = bound
        self.notes = notes
        peerName = nil
        peer = nil
        ratio = nil
        if case .zero? = bound {
            isMet = ours.least == 0 && ours.most == 0
        } else {
            isMet = bound?.isMet(by: ours.least)
        }
    }
}
