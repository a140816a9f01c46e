package import WorkerProtocol

extension MergePlan {
    /// What the merge will take; nil where the method learns nothing. Reads headers, runs nothing, writes nothing.
    package func estimate() throws -> MergeEstimate? { try MergeContext.estimate(self) }
}
