internal import ExportedGraph

/// The image side of CLIP (Radford et al., arXiv 2103.00020) as a classifier: the mean of the patches' tokens, then `classifier`.
/// The side for texts has no part in it.
enum CLIPFamily: ModelFamily {
    static let inert: Set = [
        "logit_scale_init_value", "projection_dim", "text_config", "text_config_dict", "tie_word_embeddings",
    ]
    static let spare = ["logit_scale", "text_model.", "text_projection.", "visual_projection."]

    static func write(
        _ configuration: ModelConfiguration, into draft: GraphBuilder
    ) throws(ModelFamilyError) -> GraphValue {
        _ = try configuration.architecture(["ForImageClassification", "CLIPModel"])
        // Older configurations say it twice; where they do, transformers takes the second.
        let first = try configuration.nested("vision_config")
        guard let vision = try configuration.nested("vision_config_dict") ?? first else {
            throw configuration.unsupported("vision_config", "is missing")
        }
        let hidden = try CLIPVisionFamily.output(vision, draft)
        try vision.checkRest(inert: CLIPVisionFamily.inert.union(ModelConfiguration.inert))
        return try CLIPVisionFamily.classified(hidden, classes: configuration.classes(), draft)
    }
}
