// The floors of docs/architecture.md, and the imports that they allow.

/// The table of floors.
struct FloorTable {
    struct Floor {
        let number: Int
        let modules: [String]
        /// Modules of others that it may import.
        let outside: Set<String>
        /// Whether the row says that its modules are not written yet.
        let isToCome: Bool
    }

    let floors: [Floor]

    /// Reads the rows that begin with a number: floor, modules in backquotes, two cells of prose, outside modules.
    init(markdown: String) {
        floors = MarkdownDocument(markdown).tableRows.compactMap { cells in
            guard cells.count >= 5, let number = Int(cells[0]) else { return nil }
            return Floor(
                number: number, modules: cells[1].quotedNames, outside: Set(cells[4].quotedNames),
                isToCome: cells[1].contains("(to come)"))
        }
    }

    var modules: [String] { floors.flatMap(\.modules) }

    func floor(of module: String) -> Floor? { floors.first { $0.modules.contains(module) } }

    /// What is wrong with the imports of `file`; empty if nothing is.
    func breaches(in file: RepositoryFile) -> [String] {
        guard let module = file.module, let own = floor(of: module) else {
            return ["\(file.path): its module has no row in the table of floors"]
        }
        return importedModules(in: file.text).compactMap { imported in
            if let other = floor(of: imported) {
                return other.number < own.number ? nil
                    : "\(file.path): \(module) (floor \(own.number)) imports \(imported) (floor \(other.number))"
            }
            return own.outside.contains(imported) ? nil
                : "\(file.path): \(module) imports \(imported), which the table does not allow it"
        }
    }
}

/// The modules that Swift source imports, in order. An import begins a line or follows a semicolon.
func importedModules(in source: String) -> [String] {
    let pattern = /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|typealias|func|let|var|actor)\s+)?(\w+)/
    return source.split(separator: "\n").flatMap { $0.split(separator: ";") }
        .compactMap { $0.firstMatch(of: pattern).map { String($0.output.1) } }
}
