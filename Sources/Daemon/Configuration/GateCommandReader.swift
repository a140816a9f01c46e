import Yams

/// Reads `gate.command`.
extension HookReader {
    /// Nil where it can't be used; `faults` says why.
    mutating func gateCommand(_ node: Node) -> GateCommandSettings? {
        let path = "gate.command"
        guard let mapping = node.mapping, let run = mapping["run"] else {
            add(
                node, path,
                "expected run, a list of words, and timeout, network or alone: for example "
                    + "{run: [/usr/local/bin/judge]}"
            )
            return nil
        }
        guard case .command(let words) = command(run, "\(path).run") else { return nil }
        var settings = GateCommandSettings(words)
        for (key, value) in mapping {
            let (name, place) = (key.string ?? "", "\(path).\(key.string ?? "")")
            switch name {
            case "run": continue
            case "timeout": read(value, place, least: .seconds(1)) { settings.timeout = $0 }
            case "network", "alone":
                guard let flag = value.bool else {
                    add(value, place, "invalid value '\(value.scalar?.string ?? "")': expected true or false")
                    continue
                }
                if name == "network" { settings.allowsNetwork = flag } else { settings.isAlone = flag }
            default: add(key, place, "unknown key; there are alone, network, run and timeout")
            }
        }
        return settings
    }
}
