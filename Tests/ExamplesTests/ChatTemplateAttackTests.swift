import Files
import Testing

@testable import Examples

/// Templates that are made to take all time and memory, or to reach what is behind a value: each is refused by a reason
/// within its limits.
@Suite struct ChatTemplateAttackTests {
    private func fault(_ template: String, _ messages: [JSONValue]? = nil) -> String {
        do {
            let text = try ChatTemplate(template).text(
                of: messages ?? [.object(["role": "user", "content": "a", "copy": "b", "items": "c"])])
            return "rendered \(text.prefix(80))"
        } catch {
            return "\(error)"
        }
    }

    private static func loop(_ start: String, _ body: String, _ rounds: Int = 9999) -> String {
        "{% set n = namespace(a=\(start)) %}{% for i in range(\(rounds)) %}\(body){% endfor %}{{ n.a | length }}"
    }

    private static let long = "{% set s = ('a' * 999) * 999 %}"

    @Test(arguments: [
        ("loops in loops", "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "steps"),
        ("range of a billion", "{% for a in range(1000000000) %}{% endfor %}", "a range of more than 65536 numbers"),
        ("macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "it calls itself more than"),
        (
            "macros that call each other",
            "{% macro m() %}{{ n() }}{% endmacro %}{% macro n() %}{{ m() }}{% endmacro %}{{ m() }}", "it calls itself"
        ),
        ("string that doubles", loop("'aaaa'", "{% set n.a = n.a + n.a %}"), "a string of more than 4 MiB"),
        ("joined string that doubles", loop("'aa'", "{% set n.a = [n.a, n.a] | join('b') %}"), "more than 4 MiB"),
        ("replacement that grows", loop("'aa'", "{% set n.a = n.a.replace('a', 'aaaaaaaa') %}"), "more than 4 MiB"),
        ("block that grows", "{% set a = 'aa' %}" + doubledBlock(30), "more than 4 MiB"),
        ("list that doubles", loop("[1]", "{% set n.a = n.a + n.a %}"), "more than 65536 elements"),
        ("list in itself twice", loop("[1]", "{% set n.a = [n.a, n.a] %}", 31), "more than 65536 elements"),
        ("mapping in itself", loop("{}", "{% set n.a = {'a': n.a, 'b': n.a} %}", 31), "more than 65536 elements"),
        ("lists in lists", loop("[]", "{% set n.a = [n.a] %}"), "nested more than 32 deep"),
        ("long text read again and again", long + loop("1", "{{ s | upper | length }}"), "steps"),
        ("long texts compared", long + loop("1", "{{ s == s ~ 'b' }}"), "steps"),
        ("long text searched", long + loop("1", "{{ 'ab' in s }}"), "steps"),
        ("long list searched", "{% set s = range(60000) %}" + loop("1", "{{ 'a' in s }}"), "steps"),
        (
            "long list selected from", "{% set s = range(60000) %}" + loop("1", "{{ s | selectattr('a') | length }}"),
            "steps"
        ),
        ("much output", long + loop("1", "{{ s }}"), "it writes more than 16 MiB"),
        ("parentheses in parentheses", "{{ " + nested("(", ")"), "nested more than"),
        ("lists in lists, written", "{{ " + nested("[", "]"), "nested more than"),
        ("not not not", "{{ \(String(repeating: "not ", count: 100_000))a }}", "nested more than"),
        ("minus minus", "{{ \(String(repeating: "-", count: 100_000))1 }}", "nested more than"),
        ("a sum of many", "{{ 1\(String(repeating: "+1", count: 100_000)) }}", "more than 1024 operators"),
        ("if in if", String(repeating: "{% if a %}", count: 10_000), "nested more than"),
        ("template of many MiB", String(repeating: "a", count: 2 << 20), "it has more than 1 MiB"),
    ]) func boundsTimeAndMemory(attack: String, template: String, reason: String) {
        let found = fault(template)
        #expect(found.contains(reason), "\(attack): \(found)")
    }

    private static func nested(_ open: String, _ close: String) -> String {
        String(repeating: open, count: 50_000) + "1" + String(repeating: close, count: 50_000) + " }}"
    }

    private static func doubledBlock(_ count: Int) -> String {
        String(repeating: "{% set a %}{{ a }}{{ a }}{% endset %}", count: count)
    }

    @Test(arguments: [
        ("{{ ''.__class__ }}", "unsupported attribute '__class__' of a string"),
        ("{{ messages['__class__'] }}", "unsupported attribute '__class__' of a list"),
        ("{{ messages[0].__init__.__globals__ }}", "unsupported attribute '__init__' of a mapping"),
        ("{{ raise_exception.__globals__ }}", "unsupported attribute '__globals__' of a function"),
        ("{{ messages | attr('__class__') }}", "filter 'attr'"),
        ("{{ self }}{{ self.x }}", "'self', which is not defined"),
        ("{% import 'os' as os %}", "unsupported tag 'import'"), ("{% extends 'a' %}", "unsupported tag 'extends'"),
        ("{% include '/etc/passwd' %}", "unsupported tag 'include'"), ("{{ lipsum() }}", "function or method 'lipsum'"),
        ("{{ ''.join.__self__ }}", "attribute '__self__' of a function"), ("{{ cycler(1) }}", "method 'cycler'"),
        ("{{ 'a'.encode() }}", "function or method 'encode'"), ("{{ messages.append(1) }}", "method 'append'"),
        ("{{ messages[0].copy }}", "unsupported method 'copy' of a mapping"),
        ("{{ messages[0].items }}", "unsupported output of a function"),
        ("{{ 2 ** 99999 }}", "unsupported operator '**'"),
    ]) func reachesNothingBehindValues(template: String, reason: String) {
        let found = fault(template)
        #expect(found.contains(reason), "\(template): \(found)")
    }

    /// Options that would change the text are not passed over.
    @Test(arguments: [
        ("{{ 'a,b'.split(sep=',') }}", "method 'split' with named arguments"),
        ("{{ {'b': 1} | tojson(sort_keys=true) }}", "filter 'tojson' with the arguments sort_keys"),
        ("{{ {'b': 1} | tojson(ensure_ascii=true, indent=2) }}", "with the arguments ensure_ascii, indent"),
        ("{{ 'xbx' | trim('x') }}", "filter 'trim' with 1 arguments"), ("{{ 3 > 2 > 1 }}", "chain of comparisons"),
        ("{{ 'a' in ['a'] in [true] }}", "chain of comparisons"),
        ("{{ [{}] | map(attribute='a.b') | list }}", "path 'a.b' of attributes"),
        ("{{ [{}] | map('upper') | list }}", "filter 'map' with 1 arguments"),
        ("{% macro m(a) %}{{ varargs }}{% endmacro %}{{ m(1) }}", "variable 'varargs' of a macro"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "a macro of 1 parameters is given others"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, b=2) }}", "a macro of 1 parameters is given others"),
        (#"{{ 'a\101' }}"#, #"escape '\1' in a string"#), (#"{{ '\N{BULLET}' }}"#, #"escape '\N' in a string"#),
        (#"{{ '\ud800' }}"#, #"invalid escape '\u' in a string"#),
        (#"{{ '\x4' }}"#, #"invalid escape '\x' in a string"#),
    ]) func refusesWhatItWouldOtherwisePassOver(template: String, reason: String) {
        let found = fault(template)
        #expect(found.contains(reason), "\(template): \(found)")
    }

    @Test func takesMessageOfManyKeys() {
        let keys = (0..<200_000).map { ("k\($0)", JSONValue.integer($0)) }
        let message = JSONValue.object(Dictionary(uniqueKeysWithValues: keys + [("role", "user")]))
        #expect(fault("{{ messages[0].role }}{{ messages[0]['k7'] }}", [message]) == "rendered user7")
        #expect(fault("{{ messages | length }}{{ messages[:1] }}", [message]).contains("65536 elements"))
    }

    @Test func refusesBytesThatShowAsSomethingElse() {
        let found = fault("{{ raise_exception('\u{1B}[2J\u{202E}') }}")
        #expect(
            !found.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(found.debugDescription)")
    }
}
