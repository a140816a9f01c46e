/// Where a tensor's elements lie, by libtorch's name: `cpu`, `cuda:1`, `meta`.
package struct Device: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package static let cpu = Device("cpu")
    /// Shapes and types without elements.
    package static let meta = Device("meta")

    package var description: String { name }
}
