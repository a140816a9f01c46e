import Files
@testable import Daemon
import Foundation
import Ledger
import Testing

struct HookReaderTests {
    private func faults(_ text: String) -> [ConfigurationFault] {
        do throws(ConfigurationError) {
            _ = try Configuration.parse(text, file: "test.yaml")
            return []
        } catch {
            return error.faults
        }
    }

    @Test func aHookIsRead() throws {
        let hooks = try Samples.hooks(
            """
            hooks:
              - name: one
                command: [/bin/true, "{path}"]
                timeout: 5s
                retries: 0
                back-off: 250ms
              - name: two
                http:
                  url: http://[::1]:8000/load?v={release}
                  headers: {Authorization: Bearer x}
                  json: {n: 3, t: "3", yes: true, nothing: null, list: [1.5, a], b: !base64 {p: "{path}"}}
                  contains: {ok: true}
                verify: {http: {url: "http://server/", socket: /run/s.sock}, within: 2m}
            """)
        #expect(hooks.map(\.name) == ["one", "two"])
        #expect(hooks[0].call == .command(["/bin/true", "{path}"]) && hooks[0].check == nil)
        #expect(hooks[0].timeout == .seconds(5) && hooks[0].retries == 0 && hooks[0].backOff == .milliseconds(250))
        #expect(hooks[1].retries == 5 && hooks[1].check?.within == .seconds(120))
        guard case .request(let request) = hooks[1].call else { throw HookFailure("no request") }
        #expect(request.method == "POST" && request.headers == ["Authorization": "Bearer x"])
        #expect(request.address.authority == "[::1]:8000" && request.address.scheme == "http")
        let values = Samples.values()
        let json = try #require(request.json?.filled(values))
        let wanted =
            #"{"b":"eyJwIjoiL3Nydi9kZXBsb3kvdmVyc2lvbnMvMyJ9","list":[1.5,"a"],"n":3,"nothing":null,"t":"3","#
            + #""yes":true}"#
        #expect(String(decoding: json.json, as: UTF8.self) == wanted)
        #expect(request.address.target(values) == "/load?v=3")
    }

    @Test(arguments: [
        ("hooks: 7", "hooks"), ("hooks: [x]", "hooks[0]"), ("hooks: [{name: a}]", "hooks[0]"),
        ("hooks: [{command: [/bin/true]}]", "hooks[0].name"), ("hooks: [{name: -a, command: [/x]}]", "hooks[0].name"),
        ("hooks: [{name: a, command: [/x]}, {name: a, command: [/x]}]", "hooks[1].name"),
        ("hooks: [{name: a, command: true}]", "hooks[0].command"),
        ("hooks: [{name: a, command: []}]", "hooks[0].command"),
        ("hooks: [{name: a, command: [systemctl, reload]}]", "hooks[0].command"),
        ("hooks: [{name: a, command: [/x], http: {url: 'http://a/'}}]", "hooks[0].http"),
        ("hooks: [{name: a, shell: ls, command: [/x]}]", "hooks[0].shell"),
        ("hooks: [{name: a, command: [/x], retries: -1}]", "hooks[0].retries"),
        ("hooks: [{name: a, command: [/x], timeout: soon}]", "hooks[0].timeout"),
        ("hooks: [{name: a, http: {}}]", "hooks[0].http"),
        ("hooks: [{name: a, http: {url: 'file:///etc/passwd'}}]", "hooks[0].http.url"),
        ("hooks: [{name: a, http: {url: 'http://a/', body: x}}]", "hooks[0].http.body"),
        ("hooks: [{name: a, http: {url: 'http://a/', method: get}}]", "hooks[0].http.method"),
        ("hooks: [{name: a, http: {url: 'http://a/', headers: {X: \"a\\r\\nB: c\"}}}]", "hooks[0].http.headers.X"),
        ("hooks: [{name: a, http: {url: 'http://a/', json: {v: {release}}}}]", "hooks[0].http.json.v"),
        ("hooks: [{name: a, verify: {within: 5s}}]", "hooks[0].verify"),
    ])
    func aFaultIsNamed(text: String, key: String) {
        #expect(faults(text).map(\.key) == [key], "\(faults(text))")
    }

    @Test func allFaultsAreReportedAtOnceWithTheirLines() {
        let found = faults("hooks:\n  - name: a\n    command: [x]\n    retries: many\n  - name: b\n    verify: 3\n")
        #expect(found.map(\.line) == [3, 4, 6])
    }

    @Test(arguments: [
        "ftp://a/", "http://", "http:///x", "http://a:0/", "http://a:65536/", "http://a:x/", "http://a b/",
        "http://[::1/",
        "http://u@a/", "HTTP://a/", "http://{release}/", "-http://a/", "http://a/\u{7F}", "http://a/x y",
        "http://a\r\nX: y/",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(throws: HTTPAddress.Problem.self) { try HTTPAddress(text) }
    }

    @Test func valuesCantLeaveTheirPlace() throws {
        let values = Samples.values(path: "/srv/a b&c=d/{release}\"/3")
        #expect(values.fill("{path} {other} {release} { {digest") == "/srv/a b&c=d/{release}\"/3 {other} 3 { {digest")
        let address = try HTTPAddress("http://a/load?p={path}&v={release}#part")
        #expect(address.target(values) == "/load?p=/srv/a%20b%26c%3Dd/%7Brelease%7D%22/3&v=3")
        let json = HookTemplate.object(["p": .text("{path}")]).filled(values)
        #expect(String(decoding: json.json, as: UTF8.self) == #"{"p":"/srv/a b&c=d/{release}\"/3"}"#)
    }

    @Test(arguments: [
        (#"{"a": {"b": 3, "c": 4}}"#, #"{"a": {"b": 3}}"#, true), (#"{"a": "3"}"#, #"{"a": 3}"#, true),
        (#"{"a": 3}"#, #"{"a": "4"}"#, false), (#"{"a": 3}"#, #"{"b": null}"#, false),
        (#"{"data": [{"id": "x", "root": "/p"}, {"id": "y"}]}"#, #"{"data": [{"id": "y"}, {"id": "x"}]}"#, true),
        (#"{"data": [{"id": "x", "root": "/p"}]}"#, #"{"data": [{"id": "x", "root": "/q"}]}"#, false),
        (#"["1", "2"]"#, #""2""#, true), (#"["12"]"#, #""2""#, false), (#"{"a": true}"#, #"{"a": true}"#, true),
        (#"{"a": {}}"#, #"{"a": "x"}"#, false), (#"{"a": null}"#, #"{"a": null}"#, true), ("[]", "[]", true),
    ])
    func contains(answer: String, expected: String, holds: Bool) throws {
        func value(_ text: String) throws -> JSONValue {
            try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        }
        #expect(try value(answer).contains(value(expected)) == holds)
    }
}
