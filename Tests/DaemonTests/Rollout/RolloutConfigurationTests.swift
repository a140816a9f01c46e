import Testing

@testable import Daemon

@Suite struct RolloutConfigurationTests {
    private func parse(_ yaml: String) throws -> RolloutSettings {
        try Configuration.parse(yaml, file: "t.yaml").rollout
    }

    private func faults(_ yaml: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try Configuration.parse(yaml, file: "t.yaml")
            return []
        } catch {
            return error.faults.map { "\($0.key): \($0.message)" }
        }
    }

    @Test func readsEveryKindOfCheck() throws {
        let command = try parse(
            "rollout: {strategy: canary, window: 5m, check: {command: [/usr/bin/check, \"{release}\"]}}")
        #expect(command.strategy == .canary && command.window == .seconds(300))
        #expect(command.check == .call(.command(["/usr/bin/check", "{release}"])))
        #expect(try parse("rollout: {strategy: canary, check: none}").check == .byHand)
        let servers = try parse(
            "rollout: {check: {command: [/bin/ask, \"{target}\"], targets: {name: models, port: 80}, require: quorum}}")
        let ask = HookCall.command(["/bin/ask", "{target}"])
        #expect(servers.check == .servers(ask, .name("models", port: 80), .quorum) && servers.watches)
        let http = try parse("rollout: {check: {http: {url: \"http://127.0.0.1:8000/ok\", contains: {ok: true}}}}")
        #expect(http.strategy == .immediate && http.watches)
        let query = try parse(
            "rollout: {check: {prometheus: {url: \"http://127.0.0.1:9090\", query: up, minimum: 1, maximum: 2}}}")
        guard case .prometheus(let prometheus) = query.check else {
            Issue.record("\(String(describing: query.check))")
            return
        }
        #expect(prometheus.minimum == 1 && prometheus.maximum == 2 && prometheus.expression == "up")
    }

    @Test(arguments: [
        ("rollout: {strategy: canary}", "strategy canary has no check"),
        ("rollout: {strategy: blue}", "choose one of immediate, canary"),
        ("rollout: {check: {ftp: x}}", "expected one of `command`, `http` and `prometheus`"),
        ("rollout: {check: {command: [check]}}", "is not an absolute path"),
        ("rollout: {check: {prometheus: {url: \"http://x:1\", query: up}}}", "there is no bound"),
        ("rollout: {check: {prometheus: {url: \"http://x:1\", minimum: 1}}}", "there is no query"),
        ("rollout: {check: {prometheus: {url: x, query: up, minimum: 1}}}", "does not begin with http"),
        ("rollout: {check: {prometheus: {url: \"http://x:1\", query: up, minimum: many}}}", "invalid bound 'many'"),
        ("rollout: {check: {http: {url: \"http://{target}/\"}}}", "{target} has no value: add `targets`"),
        ("rollout: {check: {command: [/bin/ask], targets: [a:1]}}", "no call names {target}"),
        (
            "rollout: {check: {command: [/bin/ask, \"{target}\"], targets: []}}",
            "expected a list of different host:port"
        ),
        (
            "rollout: {check: {command: [/bin/ask, \"{target}\"], targets: [a:1], require: most}}",
            "expected all or quorum"
        ),
        ("rollout: {check: {command: [/bin/ask], require: all}}", "there are no `targets`"),
        ("rollout: {check: {command: [/bin/ask], often: 1}}", "expected command, targets or require"),
        ("rollout: {check: {command: [/bin/ask], http: {url: \"http://x:1\"}}}", "expected one of `command`"),
        (
            "rollout: {check: {prometheus: {url: \"http://x:1\", query: up, minimum: 1}, targets: [a:1]}}",
            "a query is asked once"
        ),
        ("rollout: {interval: 0s}", "is less than"), ("rollout: {on-silence: guess}", "choose one of"),
    ])
    func saysWhatIsWrong(yaml: String, message: String) {
        #expect(faults(yaml).contains { $0.hasPrefix("rollout.") && $0.contains(message) }, "\(faults(yaml))")
    }

    @Test func hooksHaveAStage() throws {
        let hooks = try Samples.hooks(
            "hooks: [{name: c, stage: canary, command: [/bin/true]}, {name: r, command: [/bin/true]}]")
        #expect(hooks.map(\.stage) == [.canary, .release])
    }
}
