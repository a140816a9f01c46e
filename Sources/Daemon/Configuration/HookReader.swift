import Foundation
import Ledger
import WorkerProtocol
import Yams

/// Reads the list `hooks`, and gathers faults.
struct HookReader {
    private(set) var hooks: [Hook] = []
    private(set) var faults: [ConfigurationFault] = []
    private static let mostHooks = 64

    mutating func read(_ node: Node) {
        if node.isNull { return }
        guard let sequence = node.sequence else {
            return add(node, "hooks", "expected a list; docs/recipes.md has examples")
        }
        guard sequence.count <= Self.mostHooks else {
            return add(node, "hooks", "more than \(Self.mostHooks) hooks; call one command for several servers")
        }
        for (place, element) in sequence.enumerated() { readHook(element, "hooks[\(place)]") }
    }

    private mutating func readHook(_ node: Node, _ path: String) {
        guard let mapping = node.mapping else {
            return add(node, path, "expected keys and values; docs/recipes.md has examples")
        }
        var hook = Hook("")
        for (key, value) in mapping {
            let name = key.string ?? ""
            let place = "\(path).\(name)"
            switch name {
            case "name": hook.name = word(value, place)
            case "command", "http":
                guard hook.call == nil else { return add(key, place, "write either `command` or `http`, not both") }
                hook.call = call(name, value, place)
            case "verify": hook.check = check(value, place)
            case "then": hook.then = then(value, place)
            case "targets": hook.targets = targets(value, place)
            case "require":
                if let required = requirement(value, place) { hook.require = required }
            case "stage":
                guard let stage = value.scalar.flatMap({ Hook.Stage(rawValue: $0.string) }) else {
                    add(value, place, "invalid value '\(value.scalar?.string ?? "")': expected release or canary")
                    continue
                }
                hook.stage = stage
            case "timeout": read(value, place, least: .milliseconds(100)) { hook.timeout = $0 }
            case "back-off": read(value, place, least: .milliseconds(10)) { hook.backOff = $0 }
            case "retries":
                guard let count = value.scalar.flatMap({ Int($0.string) }), (0...1000).contains(count) else {
                    add(value, place, "expected a whole number from 0 to 1000")
                    continue
                }
                hook.retries = count
            default:
                add(
                    key, place,
                    "unknown key; expected name, command, http, verify, then, stage, targets, require, timeout, "
                        + "retries or back-off"
                )
            }
        }
        if hook.name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,63}/) == nil {
            add(node, "\(path).name", "every hook has a name of at most 64 letters, digits, '.', '_' and '-'")
        } else if hooks.contains(where: { $0.name == hook.name }) {
            add(node, "\(path).name", "'\(hook.name)' is the name of two hooks; choose another")
        }
        if mapping["command"] == nil, mapping["http"] == nil, mapping["verify"] == nil {
            add(node, path, "there is nothing to do; write `command`, `http` or `verify`")
        }
        let usesTarget = [hook.call, hook.check?.call, hook.then].contains { $0?.names("target") ?? false }
        if usesTarget, hook.targets == nil {
            add(node, path, "{target} has no value: add `targets`, a list of servers or {name, port}")
        } else if hook.targets != nil, !usesTarget {
            add(node, "\(path).targets", "no call names {target}: write for example url: http://{target}/")
        }
        hooks.append(hook)
    }

    private mutating func check(_ node: Node, _ path: String) -> HookCheck? {
        guard let mapping = node.mapping else {
            add(node, path, "expected `command` or `http`, and `within`")
            return nil
        }
        var found: HookCall?
        var within: Duration?
        for (key, value) in mapping {
            let name = key.string ?? ""
            switch name {
            case "command", "http": found = call(name, value, "\(path).\(name)")
            case "within": read(value, "\(path).within", least: .milliseconds(100)) { within = $0 }
            default: add(key, "\(path).\(name)", "unknown key; there are command, http and within")
            }
        }
        if (mapping["command"] == nil) == (mapping["http"] == nil) {
            add(node, path, "write one of `command` and `http`")
        }
        guard let found else { return nil }
        var check = HookCheck(found)
        if let within { check.within = within }
        return check
    }

    private mutating func then(_ node: Node, _ path: String) -> HookCall? {
        guard let mapping = node.mapping, mapping.count == 1, let (key, value) = mapping.first,
            let kind = key.string, kind == "command" || kind == "http"
        else {
            add(node, path, "expected one of `command` and `http`")
            return nil
        }
        return call(kind, value, "\(path).\(kind)")
    }

    mutating func requirement(_ node: Node, _ path: String) -> HookTargets.Requirement? {
        guard let required = node.scalar.flatMap({ HookTargets.Requirement(rawValue: $0.string) }) else {
            add(node, path, "invalid value '\(node.scalar?.string ?? "")': expected all or quorum")
            return nil
        }
        return required
    }

    mutating func targets(_ node: Node, _ path: String) -> HookTargets? {
        if let mapping = node.mapping, mapping.count == 2, let name = mapping["name"]?.scalar?.string,
            let port = mapping["port"]?.scalar.flatMap({ UInt16($0.string) }), port > 0,
            name.wholeMatch(of: /[A-Za-z0-9._-]{1,253}/) != nil
        {
            return .name(name, port: port)
        }
        let words = node.sequence?.compactMap { $0.scalar?.string } ?? []
        guard !words.isEmpty, words.count == node.sequence?.count, Set(words).count == words.count else {
            add(node, path, "expected a list of different host:port, or {name: a DNS name, port: a port}")
            return nil
        }
        for word in words {
            do {
                try HTTPAddress.check(authority: word, of: word)
            } catch {
                add(node, path, error.message)
                return nil
            }
        }
        return .list(words)
    }

    mutating func call(_ kind: String, _ node: Node, _ path: String) -> HookCall? {
        kind == "command" ? command(node, path) : request(node, path).map { .request($0) }
    }

    mutating func command(_ node: Node, _ path: String) -> HookCall? {
        let words = node.sequence?.compactMap { $0.scalar?.string } ?? []
        guard !words.isEmpty, words.count == node.sequence?.count, !words.contains(where: { $0.utf8.contains(0) })
        else {
            add(node, path, "expected a list of words, for example [/usr/bin/systemctl, reload, server.service]")
            return nil
        }
        guard words[0].hasPrefix("/") else {
            add(node, path, "'\(words[0])' is not an absolute path; there is no shell that would look for it")
            return nil
        }
        return .command(words)
    }

    private mutating func request(_ node: Node, _ path: String) -> HookRequest? {
        guard let mapping = node.mapping else {
            add(node, path, "expected url and, where they are needed, method, headers, json, contains and socket")
            return nil
        }
        let known: Set = ["url", "method", "headers", "json", "contains", "socket"]
        for (key, _) in mapping where !known.contains(key.string ?? "") {
            add(key, "\(path).\(key.string ?? "")", "unknown key; there are \(known.sorted().joined(separator: ", "))")
        }
        guard let url = mapping["url"] else {
            add(node, path, "there is no url")
            return nil
        }
        let json = mapping["json"].flatMap { template($0, "\(path).json") }
        let method = mapping["method"].map { word($0, "\(path).method") } ?? (json == nil ? "GET" : "POST")
        if method.wholeMatch(of: /[A-Z]{3,16}/) == nil {
            add(node, "\(path).method", "'\(method)' is no method; write for example POST")
        }
        let headers = headers(mapping["headers"], "\(path).headers")
        do throws(HTTPAddress.Problem) {
            let address = try HTTPAddress(
                word(url, "\(path).url"), socket: mapping["socket"].map { word($0, "\(path).socket") })
            return HookRequest(
                method: method, address: address, headers: headers, json: json,
                contains: mapping["contains"].flatMap { template($0, "\(path).contains") })
        } catch {
            add(url, "\(path).url", error.message)
            return nil
        }
    }

    mutating func headers(_ node: Node?, _ path: String) -> [String: String] {
        guard let node, !node.isNull else { return [:] }
        var headers: [String: String] = [:]
        for (key, value) in node.mapping ?? [:] {
            let (name, text) = (key.string ?? "", value.scalar?.string ?? "")
            let isPlain = text.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }
            guard name.wholeMatch(of: /[A-Za-z0-9-]{1,64}/) != nil, value.scalar != nil, isPlain else {
                add(key, "\(path).\(name)", "a header is a name of letters, digits and '-', and a line of plain text")
                continue
            }
            headers[name] = text
        }
        if node.mapping == nil { add(node, path, "expected names and values") }
        return headers
    }

    private mutating func template(_ node: Node, _ path: String) -> HookTemplate? {
        let plain: HookTemplate
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            if isPlain, node.isNull {
                plain = .fixed(.null)
            } else if isPlain, let value = node.bool {
                plain = .fixed(.bool(value))
            } else if isPlain, let value = node.int {
                plain = .fixed(.integer(value))
            } else if isPlain, let value = node.float, value.isFinite {
                plain = .fixed(.number(value))
            } else {
                plain = .text(scalar.string)
            }
        case .sequence(let sequence):
            plain = .list(sequence.compactMap { template($0, path) })
        case .mapping(let mapping):
            var members: [String: HookTemplate] = [:]
            for (key, value) in mapping {
                let name = key.string ?? ""
                if mapping.count == 1, value.isNull, HookValues.placeholders.contains(name) {
                    add(key, path, "{\(name)} without quotes is a mapping in YAML; write \"{\(name)}\"")
                    return nil
                }
                members[name] = template(value, "\(path).\(name)")
            }
            plain = .object(members)
        default:
            add(node, path, "aliases are not read here")
            return nil
        }
        return node.tag.description == "!base64" ? .base64(plain) : plain
    }

    private mutating func word(_ node: Node, _ path: String) -> String {
        guard let text = node.scalar?.string, !text.utf8.contains(0) else {
            add(node, path, "expected one line of text")
            return ""
        }
        return text
    }

    mutating func read(_ node: Node, _ path: String, least: Duration, _ take: (Duration) -> Void) {
        guard let value = node.scalar.flatMap({ Quantity.duration($0.string) }), value >= least else {
            return add(node, path, "expected a duration of at least \(Quantity.text(least)), for example 30s")
        }
        take(value)
    }

    mutating func add(_ node: Node, _ key: String, _ message: String) {
        faults.append(ConfigurationFault(line: node.mark?.line, key: key, message: message))
    }
}
