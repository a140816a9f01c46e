import Files

extension Configuration {
    /// What is no fault of the file, but keeps the daemon from its work: it starts all the same, and waits.
    package func warnings() -> [ConfigurationFault] {
        do throws(FilesError) {
            switch try FileStatus.ifPresent(registry, followingLinks: true)?.kind {
            case .directory: return []
            case nil:
                return [missing("there is no '\(registry)'; make it and put the base model into '\(registry)/base'")]
            default: return [missing("'\(registry)' is not a directory; move it away, or name another place")]
            }
        } catch {
            return [missing("can't be looked at: \(error)")]
        }
    }

    private func missing(_ message: String) -> ConfigurationFault {
        ConfigurationFault(key: "registry", message: "\(message); until then the daemon merges nothing")
    }
}
