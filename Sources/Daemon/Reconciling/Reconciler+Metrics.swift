extension Reconciler {
    /// Prometheus' text; `deployment` is a label of every sample.
    package func metrics(deployment: String) async -> String {
        let entries = await parts.ledger.count
        return MetricsReport(
            status: status(), health: health(), release: deployed?.record, events: eventCounts, entries: entries
        ).text(deployment: deployment)
    }
}
