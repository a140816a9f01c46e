internal import Foundation

/// Where the configuration says that the signing key lies: an absolute path, or the name of a systemd credential
/// (`LoadCredential=`), which systemd puts into a directory of the service's own.
package struct KeyPlace: Hashable, Sendable {
    /// The configured value; never empty.
    package let setting: String

    /// Returns nil for an empty setting: nothing is signed.
    package init?(_ setting: String) {
        guard !setting.isEmpty else { return nil }
        self.setting = setting
    }

    /// Whether a setting is a valid path or credential name.
    package static func isValid(_ setting: String) -> Bool {
        setting.hasPrefix("/") || setting.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,127}/) != nil
    }

    /// Reads the key from disk, so that a rotated key is used from the next release on. Throws `SigningError`.
    package func read(
        credentials: String? = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"]
    ) throws(SigningError) -> SigningKey {
        if setting.hasPrefix("/") { return try SigningKey(path: setting) }
        guard let credentials else {
            throw .noKey(
                place: setting,
                reason:
                    "no credentials were passed to this service; give the unit LoadCredential=\(setting):FILE, or "
                    + "write the key's absolute path")
        }
        do throws(SigningError) {
            return try SigningKey(path: "\(credentials)/\(setting)")
        } catch .noKey {
            throw .noKey(
                place: setting,
                reason:
                    "the service has no such credential; put the key where the unit's LoadCredential=\(setting) takes "
                    + "it from, and restart the service")
        }
    }
}
