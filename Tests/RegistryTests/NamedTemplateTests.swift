import Testing

/// Chat templates by name, one a file, of which a release has the base's.
@Suite struct NamedTemplateTests {
    private func warnings(base: String?, task: String) async throws -> [String] {
        let registry = try TestRegistry()
        try registry.writeBase()
        try registry.writeTask()
        let name = "additional_chat_templates/tool_use.jinja"
        if let base { try registry.write("base/" + name, Array(base.utf8)) }
        try registry.write("tasks/t/" + name, Array(task.utf8))
        return try #require(try await registry.settledScan().tasks["t"]?.content).source.warnings
    }

    @Test func warnsWhereTheyDiffer() async throws {
        #expect(try await warnings(base: "{{ messages }}", task: "{{ messages }}") == [])
        let other = try await warnings(base: "{{ messages }}", task: "{{ tools }}")
        #expect(other.count == 1 && other[0].contains("tool_use.jinja` is another one than the base's"), "\(other)")
        let more = try await warnings(base: nil, task: "{{ tools }}")
        #expect(more.contains { $0.contains("tool_use.jinja`, which the base lacks") }, "\(more)")
    }
}
