import Files
import Foundation
import Testing

/// The reader beside Python's own: the same texts are accepted with the same values, or refused here by name.
struct PythonJSONTests {
    /// Texts that Python and this reader must agree on, and those that only Python accepts, with the reason given here.
    private static let shared = [
        "{}", "[]", " [1 , 2 ] ", "null", "true", "false", "\"\"", "0", "-0", "-0.0", "1.5e+3", "1E-2", "12", "1e999",
        "NaN", "Infinity", "-Infinity", "[NaN]", "-NaN", "+1", "01", "-", "1.", ".5", "1e", "1e+", "nul", "nulll",
        "True",
        "infinity", "[1,]", "[,1]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{'a':1}", "{1:2}", "[1 2]", "", " ", "1 2",
        "{} x",
        #"{"a":1,"a":2}"#, #"{"a":{"b":1},"a":{"c":2}}"#, #"{"a":1,"b":2,"a":3}"#, #"{"a":1,"\u0061":2}"#, #"{"":1}"#,
        #""\ud83d\ude00""#, #""\u00e9""#, #""\u12g4""#, #""\u12"#, #""\x41""#, #""\b\f\n\r\t\/\\\"""#, "\"\t\"",
        "\"\n\"",
        "\"\u{7F}\"", "\"\u{0}\"", "\"a", "[\"a\"", "/* c */ 1", "1 // c", "\u{FEFF}{}", "\u{A0}1", "\u{C}1", "\u{B}1",
        "1000000000000000019884624838656", "123456789012345678", "9223372036854775808", "0.1", "5e-324", "1e-400",
        "\"é\u{1F600}\"", "[[[[[[[[1]]]]]]]]", "[true,false,null,\"x\",{\"y\":[0.5]}]", "[-]", "[1e5]", "--1", "1_000",
    ]
    private static let refusedHere = [
        #""\ud83d""#: "half a surrogate pair", #""\ud83d\u0041""#: "half a surrogate pair",
        #""\udc00""#: "half a surrogate",
        "{\"\u{E9}\":1,\"e\u{301}\":2}": "how Unicode composes",
        String(repeating: "[", count: 65) + String(repeating: "]", count: 65): "nested more than 64",
        "1" + String(repeating: "0", count: 310): "beyond the range of a double",
    ]

    private static let python = ProcessInfo.processInfo.environment["SUPERMERGE_PYTHON"] ?? "python3"

    /// Reads a JSON list of texts and prints for each null, or its value in a form that JSON holds: [kind, text].
    private static let program = """
        import json, sys
        def form(v):
            if isinstance(v, dict): return ["object", [[k, form(x)] for k, x in v.items()]]
            if isinstance(v, list): return ["list", [form(x) for x in v]]
            if type(v) is int and not -2**63 <= v < 2**63: v = float(v) if v < 10**300 else 0.0
            return [type(v).__name__, v.hex() if isinstance(v, float) else str(v).encode("utf-8", "replace").decode()]
        out = []
        for text in json.load(sys.stdin):
            try: value = json.loads(text)
            except ValueError: out.append(None)
            else: out.append(form(value) if len(sys.argv) > 1 else True)
        json.dump(out, sys.stdout)
        """

    /// The same form of a value read here; floats are compared as numbers.
    private func agree(_ value: JSONValue, _ form: JSONValue) -> Bool {
        guard case .array(let pair) = form, pair.count == 2, let kind = pair[0].text else { return false }
        switch (kind, value) {
        case ("NoneType", .null): return true
        case ("bool", .bool(let flag)): return pair[1].text == (flag ? "True" : "False")
        case ("int", .integer(let number)): return pair[1].text == String(number)
        case ("float", .number(let number)):
            guard let text = pair[1].text, let other = Double(text) else { return false }
            return number.isNaN ? other.isNaN : number == other && number.sign == other.sign
        case ("str", .string(let text)): return pair[1].text.map { $0.utf8.elementsEqual(text.utf8) } ?? false
        case ("list", .array(let items)):
            let others = pair[1].elements
            return items.count == others.count && zip(items, others).allSatisfy(agree)
        case ("object", .object(let members)):
            let others = pair[1].elements
            return members.count == others.count
                && others.allSatisfy { other in
                    guard let key = other.elements.first?.text, let value = members[key] else { return false }
                    return agree(value, other.elements[1])
                }
        default: return false
        }
    }

    private func asPython(_ texts: [String], _ arguments: [String] = []) throws -> [JSONValue] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [Self.python, "-c", Self.program] + arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(texts))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try JSONValue(parsing: bytes, .python).elements
    }

    private static let isThere =
        (try? Process.run(URL(fileURLWithPath: "/usr/bin/env"), arguments: [python, "-c", ""]))
        .map { process -> Bool in
            process.waitUntilExit()
            return process.terminationStatus == 0
        }

    @Test(.enabled(if: isThere == true, "there is no Python")) func readsEveryTextAsPythonDoes() throws {
        let answers = try asPython(Self.shared, ["values"])
        try #require(answers.count == Self.shared.count)
        for (text, answer) in zip(Self.shared, answers) {
            let value = try? JSONValue(parsing: text.utf8, .python)
            if answer == .null {
                #expect(value == nil, "only Python refuses \(text.debugDescription)")
            } else {
                #expect(value.map { agree($0, answer) } == true, "\(text.debugDescription): \(answer)")
            }
        }
    }

    @Test(.enabled(if: isThere == true, "there is no Python")) func refusesByNameWhatOnlyPythonReads() throws {
        let texts = Self.refusedHere.keys.sorted()
        let answers = try asPython(texts)
        for (text, answer) in zip(texts, answers) {
            #expect(answer != .null, "Python refuses \(text.debugDescription), too")
            let reason = try #require(Self.refusedHere[text])
            let fault = #expect(throws: JSONCursor.Fault.self) { try JSONValue(parsing: text.utf8, .python) }
            #expect(fault?.reason.contains(reason) == true)
        }
    }
}
