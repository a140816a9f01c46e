import Attacks

/// A place where this parser of safetensors is stricter than the reference, on purpose.
struct Difference: Sendable {
    /// Part of this parser's words.
    var reason: String
    var why: String
    /// A file that the reference reads and this parser refuses for this reason.
    var specimen: @Sendable () -> [UInt8]

    init(_ reason: String, _ why: String, header: @autoclosure @escaping @Sendable () -> String) {
        (self.reason, self.why) = (reason, why)
        specimen = { Attack.file(around: Array(header().utf8)) }
    }

    private static let whole = #""dtype":"U8","shape":[1],"data_offsets":[0,1]"#

    static let all = [
        Difference(
            "duplicate", "the reference takes the last of two tensors of one name: who looks at the first is deceived",
            header: #"{"a":{\#(whole)},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#),
        Difference(
            "unknown field", "what nobody reads may be a message to somebody else",
            header: #"{"a":{"note":1,\#(whole)}}"#),
        Difference(
            "begin with '{'", "the format demands it; the reference skips white space", header: " {\"a\":{\(whole)}}"),
        Difference("after the closing brace", "only spaces pad a header", header: "{\"a\":{\(whole)}}\n"),
        Difference(
            "control character", "names go to terminals, logs and paths", header: #"{"a\u001b[2J":{\#(whole)}}"#),
        Difference("'..' as a path", "names go to paths", header: #"{"../a":{\#(whole)}}"#),
        Difference("without a name", "nothing can be named by it", header: #"{"":{\#(whole)}}"#),
        Difference(
            "longer than 4096", "memory for names is bounded",
            header: #"{"\#(String(repeating: "a", count: 4097))":{\#(whole)}}"#),
        Difference(
            "more than 262144 tensors", "memory and time for tensors are bounded",
            header: "{"
                + (0...262_144).map { #""\#($0)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"# }.joined(
                    separator: ",")
                + "}"),
        Difference(
            "more than 64 numbers", "PyTorch has no more axes",
            header: #"{"a":{"dtype":"U8","shape":[\#(Array(repeating: "1", count: 65).joined(separator: ","))],"#
                + #""data_offsets":[0,1]}}"#),
        Difference(
            "element type", "types that no merge can compute with (F8, C64, F4 …)",
            header: #"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#),
    ]
}
