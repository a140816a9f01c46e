import WorkerProtocol
import Yams

/// Reads `rollout.check`.
extension HookReader {
    /// Nil where it can't be used; `faults` says why.
    mutating func rolloutCheck(_ node: Node) -> RolloutCheck? {
        let path = "rollout.check"
        if node.scalar?.string == "none" { return .byHand }
        let kinds = ["command", "http", "prometheus"]
        guard let mapping = node.mapping, case let found = kinds.filter({ mapping[$0] != nil }), found.count == 1,
            let kind = found.first, let value = mapping[kind]
        else {
            add(node, path, "expected one of `command`, `http` and `prometheus`, or none for promotion by hand")
            return nil
        }
        for (key, _) in mapping where key.string != kind && !["targets", "require"].contains(key.string ?? "") {
            add(key, "\(path).\(key.string ?? "")", "unknown key; expected \(kind), targets or require")
        }
        let targets = mapping["targets"].flatMap { self.targets($0, "\(path).targets") }
        let require = mapping["require"].flatMap { self.requirement($0, "\(path).require") }
        if let node = mapping["require"], mapping["targets"] == nil {
            add(node, "\(path).require", "there are no `targets` to require an answer of")
        }
        if kind == "prometheus" {
            if let node = mapping["targets"] {
                add(node, "\(path).targets", "a query is asked once: let it give a sample for each server instead")
            }
            return prometheus(value, "\(path).\(kind)").map { .prometheus($0) }
        }
        guard let call = call(kind, value, "\(path).\(kind)") else { return nil }
        guard mapping["targets"] != nil else {
            if call.names("target") {
                add(value, path, "{target} has no value: add `targets`, a list of servers or {name, port}")
            }
            return .call(call)
        }
        if !call.names("target") {
            add(value, "\(path).targets", "no call names {target}: write for example url: http://{target}/")
        }
        return targets.map { .servers(call, $0, require ?? .all) }
    }

    private mutating func prometheus(_ node: Node, _ path: String) -> PrometheusQuery? {
        guard let mapping = node.mapping else {
            add(node, path, "expected url, query, and minimum or maximum")
            return nil
        }
        for (key, _) in mapping where !["url", "query", "minimum", "maximum", "headers"].contains(key.string ?? "") {
            add(key, "\(path).\(key.string ?? "")", "unknown key; there are headers, maximum, minimum, query and url")
        }
        guard let url = mapping["url"]?.scalar?.string else {
            add(node, path, "there is no url; write for example url: http://127.0.0.1:9090")
            return nil
        }
        guard let expression = mapping["query"]?.scalar?.string, !expression.isEmpty, !expression.utf8.contains(0)
        else {
            add(node, path, "there is no query; write an expression in PromQL")
            return nil
        }
        let minimum = bound(mapping["minimum"], "\(path).minimum")
        let maximum = bound(mapping["maximum"], "\(path).maximum")
        if mapping["minimum"] == nil, mapping["maximum"] == nil {
            add(node, path, "there is no bound; write `minimum` or `maximum`")
        }
        let headers = headers(mapping["headers"], "\(path).headers")
        do throws(HTTPAddress.Problem) {
            let address = try HTTPAddress(url)
            return PrometheusQuery(
                address: address, headers: headers, expression: expression, minimum: minimum, maximum: maximum)
        } catch {
            add(node, "\(path).url", error.message)
            return nil
        }
    }

    private mutating func bound(_ node: Node?, _ path: String) -> Double? {
        guard let node else { return nil }
        guard let value = node.scalar.flatMap({ Double($0.string) }), value.isFinite else {
            add(node, path, "invalid bound '\(node.scalar?.string ?? "")': expected a number")
            return nil
        }
        return value
    }
}
