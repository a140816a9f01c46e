import Files
import Foundation
import Testing

@testable import Examples

/// Chat templates against what transformers renders (Tools/make_chat_fixtures.py), and what is refused.
@Suite struct ChatTemplateTests {
    private static func fixtures() throws -> (tokens: [String: String], cases: [JSONValue], folder: URL) {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures/chat", withExtension: nil))
        let bytes = Array(try Data(contentsOf: folder.appending(path: "rendered.json")))
        let root = try JSONValue.members(parsing: bytes, .python)
        return (root["tokens"]?.members.compactMapValues(\.text) ?? [:], root["cases"]?.elements ?? [], folder)
    }

    @Test func rendersAsTransformersDoes() throws {
        let (tokens, cases, folder) = try Self.fixtures()
        var rendered = 0
        for value in cases {
            let item = value.members
            let name = try #require(item["template"]?.text)
            let source = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            let messages = item["messages"]?.elements ?? []
            let adds = item["adds_prompt"] == true
            let template = try ChatTemplate(source, tokens: tokens)
            guard let wanted = item["rendered"]?.text else {
                #expect(throws: TemplateError.self, "\(name): \(messages)") {
                    try template.text(of: messages, addsPrompt: adds)
                }
                continue
            }
            #expect(try template.text(of: messages, addsPrompt: adds) == wanted, "\(name): \(messages)")
            rendered += 1
        }
        #expect(rendered >= 110)
    }

    private func render(_ template: String, _ messages: [JSONValue] = []) throws -> String {
        try ChatTemplate(template).text(of: messages)
    }

    @Test(arguments: [
        ("{{ 1 + 2 * 3 - 7 // 2 }} {{ 7 % 3 }} {{ -7 // 2 }} {{ -7 % 3 }}", "4 1 -4 2"),
        ("{{ 'a' if false }}|{{ 'a' if true else 'b' }}|{{ none }}|{{ true }}", "|a|None|True"),
        ("{{ 'abc'[1:] }} {{ 'abc'[::-1] }} {{ 'abc'[-2] }} {{ [1,2,3][:2] | length }}", "bc cba b 2"),
        ("{% for x in [1,2,3] if x != 2 %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}", "1,3"),
        ("{% set n = namespace(a=1) %}{% for x in [1] %}{% set n.a = 2 %}{% endfor %}{{ n.a }}", "2"),
        ("{% set a = 1 %}{% for x in [1] %}{% set a = 2 %}{% endfor %}{{ a }}", "1"),
        ("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"),
        ("a  {%- if true -%}  b  {%- endif %}  c", "ab  c"),
        ("{{ 'a-b-c'.split('-', 1) | last }} {{ ' x '.strip() }} {{ 'xxa'.lstrip('x') }}", "b-c x a"),
        ("{{ {'a': [1, true, none], 'b': 'é\"'} | tojson }}", "{\"a\": [1, true, null], \"b\": \"é\\\"\"}"),
        ("{{ nothing }}{{ nothing is defined }}{{ 'a' in {'a': 1} }}{{ 3 is divisibleby }}", ""),
        ("{% macro m(a, b='x') %}{{ a ~ b }}{% endmacro %}{{ m(1) }}{{ m(2, b=3) }}", "1x23"),
        ("{% for i in range(2) %}{{ i }}{% else %}none{% endfor %}{% for i in [] %}x{% else %}y{% endfor %}", "01y"),
        ("{{ ['a', 'b'] | join(', ') }}{{ '' | default('c', true) }}{# gone #}", "a, bc"),
        ("{{ -5 | abs }} {{ 7 - -5 | abs }} {{ -5 | string | length }}", "5 2 2"),
        ("{{ \"it's a-bc x\" | title }}|{{ \"it's a-bc x\".title() }}", "It's A-Bc X|It'S A-Bc X"),
        ("{{ [{'a': 1}, {'b': 2}] | map(attribute='a') | join(',') }}", "1,"),
        ("{{ [{'a': 1}, {'b': 2}] | map(attribute='a', default='y') | join(d=',') }}", "1,y"),
        ("{{ nothing | default(default_value='q') }}{% for x in [1] %}{{ loop.depth }}{% endfor %}", "q1"),
        (#"{{ 'a\u00e9\x41\U0001F30D\\b' }}{{ 'a\fb' | length }}{{ 'a\qb' }}"#, #"aéA🌍\b3a\qb"#),
        ("{{ 'a\\\nb' }}", "ab"),
    ])
    func evaluatesAsJinjaDoes(template: String, wanted: String) throws {
        if wanted.isEmpty {
            #expect(throws: TemplateError.self) { try render(template) }
        } else {
            #expect(try render(template) == wanted)
        }
    }

    @Test(arguments: [
        ("{% include 'x' %}", "chat template: line 1: unsupported tag 'include'"),
        ("a\n{{ 'x' | xmlattr }}", "chat template: line 2: unsupported filter 'xmlattr' of a string"),
        ("{{ strftime_now('%d') }}", "chat template: line 1: unsupported function or method 'strftime_now'"),
        ("{{ 'x'.format(1) }}", "chat template: line 1: unsupported function or method 'format'"),
        ("{{ 1 is prime }}", "chat template: line 1: unsupported test 'prime' of a number"),
        ("{{ 'x }}", "chat template: line 1: a string that does not end"),
        ("{% if true %}x", "chat template: line 1: expected {% elif %}"),
        ("{{ raise_exception('no system role') }}", "the chat template refuses: no system role"),
        ("{{ messages[0] | tojson }}", "chat template: line 1: unsupported use of the order of an object's members"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "chat template: it calls itself more than"),
    ])
    func refusesByName(template: String, message: String) {
        #expect {
            try render(template, [.object(["role": "user", "content": "a"])])
        } throws: { error in "\(error)".hasPrefix(message) }
    }

    @Test func boundsItsSteps() {
        let loop = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}"
        #expect {
            try render(loop)
        } throws: { error in "\(error)".hasPrefix("chat template: it takes more than") }
    }
}
