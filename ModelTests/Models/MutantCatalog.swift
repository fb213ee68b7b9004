#if ModelCheck
// Which mutants there are: every place of the protocols' floors that the models come by, and what can be taken away there.

import ArgumentParser
import Foundation
import StillpointModel

struct MutantCatalog {
    struct Entry {
        let mutant: Mutant
        /// The models that come by its place; the one with the fewest places first, since it is about this protocol.
        let models: [ProtocolModel]
    }

    /// The floors whose orderings are under test.
    static let modules = ["StillpointSynchronization", "StillpointThreads"]

    let entries: [Entry]
    /// Orderings of the sources that no model comes by: `File.swift:line`.
    let unreached: [String]

    init(models: [ProtocolModel]) throws {
        var reached: [MutationSite: [(model: ProtocolModel, siteCount: Int)]] = [:]
        // A model that is wrong on purpose would count as one that a mutant makes fail.
        for model in models where model.mistake == nil || model.isDiagnosis {
            let list = SiteList()
            for strategy in model.smoke {
                let report = model.explore(strategy, timeLimitSeconds: 5, sites: list)
                guard model.isRight(report) else {
                    throw ValidationError("A model fails without any mutant: \(model.describe(report))")
                }
            }
            for site in list.sites where Self.isUnderTest(site) {
                reached[site, default: []].append((model, list.sites.count))
            }
        }
        entries = reached.keys
            .sorted { ($0.fileID, $0.line, $0.operation, $0.order.rawValue) < ($1.fileID, $1.line, $1.operation, $1.order.rawValue) }
            .flatMap { site in
                let models = reached[site]!.sorted { $0.siteCount < $1.siteCount }.map(\.model)
                return site.mutants.map { Entry(mutant: $0, models: models) }
            }
        unreached = Self.orderings().filter { place in
            !reached.keys.contains { $0.fileID == place.fileID && (Int($0.line) - 1...Int($0.line) + 5).contains(place.line) }
        }.map { "\($0.fileID):\($0.line)" }
    }

    func mutant(named name: String) throws -> Mutant {
        guard let entry = entries.first(where: { "\($0.mutant)" == name }) else {
            throw ValidationError("There is no mutant '\(name)' where this model comes by.")
        }
        return entry.mutant
    }

    private static func isUnderTest(_ site: MutationSite) -> Bool {
        site.fileID.isEmpty || modules.contains { site.fileID.hasPrefix($0 + "/") }
    }

    // MARK: The sources

    /// The source text of a place.
    static func code(at site: MutationSite) -> String {
        guard !site.fileID.isEmpty else { return "recheck(\"\(site.operation)\")" }
        let lines = lines(of: site.fileID)
        let index = Int(site.line) - 1
        guard lines.indices.contains(index) else { return "line \(site.line)" }
        var text = lines[index].trimmingCharacters(in: .whitespaces)
        // A call over several lines shows its ordering too.
        for next in lines[(index + 1)...].prefix(3) where !text.contains("rdering:") && site.operation != "futexWake" {
            text += " " + next.trimmingCharacters(in: .whitespaces)
        }
        return String((text.components(separatedBy: "  //").first ?? text).prefix(110))
    }

    private static func lines(of fileID: String) -> [String] {
        ((try? String(contentsOfFile: "Sources/" + fileID, encoding: .utf8)) ?? "").components(separatedBy: "\n")
    }

    /// Every line of the modules under test that gives an ordering stronger than relaxed.
    private static func orderings() -> [(fileID: String, line: Int)] {
        modules.flatMap { module in
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "Sources/" + module)) ?? []
            return files.filter { $0.hasSuffix(".swift") }.sorted().flatMap { file in
                lines(of: "\(module)/\(file)").enumerated().compactMap { index, line in
                    let code = line.components(separatedBy: "//").first ?? line
                    let isOrdering = ["acquiring", "releasing", "acquiringAndReleasing", "sequentiallyConsistent"]
                        .contains { code.contains("rdering: .\($0)") }
                    return isOrdering ? (fileID: "\(module)/\(file)", line: index + 1) : nil
                }
            }
        }
    }
}
#endif
