/// One entry of `alpha_pattern`: α of the modules that a pattern matches and none before it does.
package struct AlphaPattern: Hashable, Sendable {
    let pattern: ModulePattern
    let alpha: Double
}
