/// Why the sets can't be made.
struct DemoDataError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
