import Foundation
import Testing

@testable import Adapters

/// What matches is what Python says of `re.match(rf"(.*\.)?({key})$", module)`, which PEFT's `get_pattern_key` asks.
struct ModulePatternTests {
    private static let keys = [
        "query", "0.query", "^layer.0.query", "^query", "layer.query", "layer\\.query", "query$", "longer.than.that",
        "layer.*.query", "layer.[0-5].query", "layers\\.\\d+\\.q", "(a|b)", "a|b.c", "(?:q|v)_proj", "(q|v)_proj", "a+",
        "ab?", "(ab)*c", "[^0-9]+", "[a.-]+", "\\d", "^layer.*", "a*?b", "^a$|^b$", "(^a|b)c", "a||b", "a.*", ".*", "",
        "^$", "()", "a{2}", "a{1,2}", "a{2,}b", "\\w+", "\\D+", "[\\w.]+", "\\W", "\\s", "a\\_b", "(?P<n>a)b", "[]a]",
        "[^]a]+", "[\\d.]+",
        "\\Alayer.*", "layer\\W0.*", "\\S+", "(a|b){2}", "a{2}?b", "é", "a)|(b", "[a-c]x|^q", "(a*)*b",
        "layer.(0|1).q.*",
    ]
    private static let modules = [
        "query", "layer.0.query", "layer.0.subquery", "layer-query", "layer.query", "layerquery", "a.query", "that",
        "layer.3.self.query", "model.layer.5.query", "model.layer.6.query", "layers.12.q", "layers..q", "x.b", "x.ab",
        "b.c", "x.a", "m.v_proj", "m.k_proj", "aaa", "", "a", "abb", "ababc", "abac", "x.abc", "a1", "a-.a", "layer.7",
        "layer.0", "m.layer.0", "aab", "b", "x.bc", "x.ac", "b.a", "m.layer", "q", "x.q", "é", "x.é", "x.٣", "a_b",
        "x. ", "x.\u{A0}", "x.²", "ab", "aa", "]a",
        "1.2",
    ]
    /// RE2 does not know them, or knows something else by them.
    private static let refused = [
        "(?!a)b", "(?=a)a", "(?<=x)a", "(?<!x)a", "(a)\\1", "(?P<n>a)(?P=n)", "a*+", "a++", "a?+", "(?>a)", "(?i)a",
        "(?i:a)",
        "(?#c)a", "(?(1)a|b)", "a\\Z", "\\bq", "q\\B", "[\\W]", "[a--b]", "[[:alpha:]]", "a{,2}", "a{1001}", "(?<n>a)",
    ]
    /// Python refuses them, too; some of them RE2 would take.
    private static let invalid = [
        "a**", "^*a", "*a", "(a", "a)", "[a", "[]", "[z-a]", "a\\", "\\Qa\\E", "\\pN", "\\x{41}", "a{2}{3}", "(*a)",
        "a|*b",
        String(repeating: "(", count: 40) + "a", "a{3,2}", "\\8",
    ]

    private static let python = ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"] ?? "python3"

    /// For each key null where Python has no such expression, else for each module whether it matches.
    private static let program = #"""
        import json, re, sys, warnings
        warnings.simplefilter("ignore")
        keys, modules = json.load(sys.stdin)
        out = []
        for key in keys:
            try: out.append([re.match(rf"(.*\.)?({key})$", m) is not None for m in modules])
            except re.error: out.append(None)
        json.dump(out, sys.stdout)
        """#

    private static func asPython(_ keys: [String], _ modules: [String]) throws -> [[Bool]?] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", program]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode([keys, modules]))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try JSONDecoder().decode([[Bool]?].self, from: bytes)
    }

    private static let hasPython = {
        let process = try? Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: [python, "-c", ""])
        process?.waitUntilExit()
        return process?.terminationStatus == 0
    }()

    @Test(.enabled(if: hasPython, "there is no Python")) func matchesWhatPythonMatches() throws {
        for (key, answers) in zip(Self.keys, try Self.asPython(Self.keys, Self.modules)) {
            let pattern = try #require(ModulePattern(key), "\(key)")
            for (module, answer) in zip(Self.modules, try #require(answers, "\(key)")) {
                #expect(pattern.matches(module) == answer, "\(key) and \(module)")
            }
        }
    }

    @Test(arguments: refused) func refusesWhatIsPythonsAlone(_ key: String) { #expect(ModulePattern(key) == nil) }

    @Test(.enabled(if: hasPython, "there is no Python")) func refusesWhatPythonRefuses() throws {
        for (key, answers) in zip(Self.invalid, try Self.asPython(Self.invalid, Self.modules)) {
            #expect(ModulePattern(key) == nil && answers == nil, "\(key)")
        }
    }

    @Test(arguments: [
        ("query", "layer.0.query", true), ("query", "layer.0.subquery", false), ("^query", "layer.0.query", false),
        ("layer.query", "layer-query", true), ("layer\\.query", "layer-query", false), ("a{2}", "x.aa", true),
    ]) func matchesLikeTheExpressionThatItIs(_ key: String, _ module: String, _ matches: Bool) throws {
        #expect(try #require(ModulePattern(key)).matches(module) == matches)
    }

    /// In Python this takes longer than anyone waits.
    @Test func noExpressionTakesForever() throws {
        let pattern = try #require(ModulePattern("((a*)*)*b"))
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
        #expect(pattern.matches(String(repeating: "a", count: 2000) + "b"))
    }

    @Test func refusesAnExpressionThatNeedsTooMuchMemory() {
        #expect(ModulePattern("((a{100}){100}){100}") == nil)
        #expect(ModulePattern(String(repeating: "a", count: 5000)) == nil)
    }

    @Test func twoKeysAreTwoPatterns() throws {
        #expect(try #require(ModulePattern("a")) != #require(ModulePattern("(?:a)")))
    }
}
