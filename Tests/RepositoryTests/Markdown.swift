// As much of Markdown as the documents of this repository use.

struct MarkdownDocument {
    /// Lines outside fenced code, and the fenced blocks by language.
    private(set) var proseLines: [Substring] = []
    private(set) var codeBlocks: [(language: String, lines: [Substring])] = []

    init(_ text: String) {
        var isInCode = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInCode.toggle()
                if isInCode { codeBlocks.append((String(line.dropFirst(3)), [])) }
            } else if isInCode {
                codeBlocks[codeBlocks.count - 1].lines.append(line)
            } else {
                proseLines.append(line)
            }
        }
    }

    /// The rows of all tables, cells trimmed; heads included, the rules under them left out.
    var tableRows: [[String]] {
        proseLines.filter { $0.hasPrefix("|") && !$0.hasPrefix("|-") && !$0.hasPrefix("| -") }.map { line in
            line.dropFirst().split(separator: "|", omittingEmptySubsequences: false).dropLast()
                .map { $0.trimmed }
        }
    }

    /// The targets of all links: `[text](target)`.
    var linkTargets: [String] {
        proseLines.flatMap { line in
            line.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) }
        }
    }

    /// What a link to a heading of this document says after the `#`.
    var anchors: Set<String> {
        Set(proseLines.filter { $0.hasPrefix("#") }.map { line in
            let title = line.drop { $0 == "#" }.trimmed.lowercased()
            return String(title.compactMap { character in
                if character == " " { return "-" }
                return character.isLetter || character.isNumber || character == "-" || character == "_"
                    ? character : nil
            })
        })
    }
}

extension StringProtocol {
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }

    /// What stands between backquotes.
    var quotedNames: [String] { Substring(self).matches(of: /`([^`]+)`/).map { String($0.output.1) } }
}
