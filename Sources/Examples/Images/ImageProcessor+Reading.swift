internal import Files

extension ImageProcessor {
    private static let imageNetMean = [0.485, 0.456, 0.406]
    private static let imageNetDeviation = [0.229, 0.224, 0.225]
    private static let halves = [0.5, 0.5, 0.5]
    private static let clipMean = [0.48145466, 0.4578275, 0.40821073]
    private static let clipDeviation = [0.26862954, 0.26130258, 0.27577711]

    /// What a class of transformers does where its file does not say it.
    private struct Class {
        var size: Size
        /// Whether a size of one number is that of a square.
        var isSquare: Bool
        var crop: Crop?
        var filter: ImageFilter
        var mean: [Double]
        var deviation: [Double]
        var cropShare: Double?
        /// Whether it knows `do_center_crop`.
        var crops = true

        init(
            _ size: Size, isSquare: Bool, crop: Int? = nil, _ filter: ImageFilter, _ mean: [Double],
            _ deviation: [Double]
        ) {
            self.size = size
            self.isSquare = isSquare
            self.crop = crop.map { Crop(height: $0, width: $0) }
            self.filter = filter
            (self.mean, self.deviation) = (mean, deviation)
        }
    }

    private static func square(_ edge: Int) -> Size { .exact(height: edge, width: edge) }

    /// Of `<name>ImageProcessor`, in any of its forms.
    private static let classes: [String: Class] = {
        var convNext = Class(
            .shortest(384, longest: nil), isSquare: false, .bicubic, halves, halves)
        convNext.cropShare = 224 / 256
        var segformer = Class(square(512), isSquare: true, .bilinear, imageNetMean, imageNetDeviation)
        segformer.crops = false
        let clip = Class(
            .shortest(224, longest: nil), isSquare: false, crop: 224, .bicubic, clipMean, clipDeviation)
        return [
            "ViT": Class(square(224), isSquare: true, .bilinear, halves, halves),
            "DeiT": Class(square(256), isSquare: true, crop: 224, .bicubic, halves, halves),
            "Beit": Class(square(224), isSquare: true, .bicubic, halves, halves),
            "Siglip": Class(square(224), isSquare: false, .bicubic, halves, halves),
            "Blip": Class(square(384), isSquare: true, .bicubic, clipMean, clipDeviation),
            "Pvt": Class(square(224), isSquare: true, .bicubic, imageNetMean, imageNetDeviation),
            "MobileNetV1": Class(
                .shortest(256, longest: nil), isSquare: false, crop: 224, .bilinear, halves, halves),
            "CLIP": clip, "ChineseCLIP": clip, "Bit": clip, "ConvNext": convNext, "Segformer": segformer,
        ]
    }()
    /// Classes that crop unless their file says otherwise.
    private static let cropping: Set = ["DeiT", "CLIP", "ChineseCLIP", "Bit", "MobileNetV1"]

    /// `model_type` → class, for files that name none.
    private static let ofModels: [String: String] = [
        "vit": "ViT", "swin": "ViT", "swinv2": "ViT", "deit": "DeiT", "beit": "Beit", "data2vec-vision": "Beit",
        "clip": "CLIP", "clip_vision_model": "CLIP", "siglip": "Siglip", "siglip_vision_model": "Siglip",
        "convnext": "ConvNext", "convnextv2": "ConvNext", "resnet": "ConvNext", "regnet": "ConvNext",
        "dinov2": "Bit", "dinov2_with_registers": "Bit", "segformer": "Segformer", "mobilenet_v1": "MobileNetV1",
        "pvt": "Pvt", "pvt_v2": "Pvt",
    ]

    /// Keys that change nothing of an image's values, or that say what is done anyway.
    private static let inert: Set = [
        "processor_class", "tokenizer_class", "_processor_class", "_valid_processor_keys", "model_input_names",
        "return_tensors", "device", "disable_grouping", "input_data_format", "image_seq_length", "do_convert_rgb",
        "do_reduce_labels", "reduce_labels", "pad_size", "backend", "use_fast", "transformers_version", "name_or_path",
    ]

    /// Reads processor_config.json or preprocessor_config.json. `contents`: name → bytes of these and of config.json,
    /// as far as they are there. Throws `ExamplesError.processor` where there is neither, or where one asks for
    /// something that is not done here, by its name.
    package init(_ contents: [String: [UInt8]]) throws(ExamplesError) {
        let (file, settings) = try Self.settings(contents)
        let name = try Self.className(settings, contents, file)
        guard let defaults = Self.classes[name] else {
            throw Self.unsupported(
                file, "an image processor of class \(shown(name))",
                "expected one of \(Self.classes.keys.sorted().map { $0 + "ImageProcessor" }.joined(separator: ", "))")
        }
        var keys = KeyReader(file: file, values: settings)
        let wanted = try keys.size("size", isSquare: defaults.isSquare) ?? defaults.size
        size = try keys.flag("do_resize", true) ? wanted : nil
        filter = try keys.filter("resample") ?? defaults.filter
        let cropped = try keys.crop("crop_size") ?? defaults.crop ?? Crop(height: 224, width: 224)
        let crops = try keys.flag("do_center_crop", Self.cropping.contains(name))
        crop = crops && defaults.crops ? cropped : nil
        let factor = try keys.number("rescale_factor") ?? 1.0 / 255
        scale = try keys.flag("do_rescale", true) ? factor : nil
        let mean = try keys.channels("image_mean") ?? defaults.mean
        let deviation = try keys.channels("image_std") ?? defaults.deviation
        normalization =
            try keys.flag("do_normalize", true) ? Normalization(mean: mean, deviation: deviation) : nil
        if let share = defaults.cropShare { cropShare = try keys.number("crop_pct") ?? share }
        if let cropShare, !(cropShare > 0.05 && cropShare <= 1) { throw keys.invalid("crop_pct", "between 0.05 and 1") }
        if cropShare != nil, let size {
            guard case .shortest = size else { throw keys.invalid("size", "a shortest_edge") }
        }
        if normalization != nil, deviation.contains(0) { throw keys.invalid("image_std", "no zero") }
        try keys.refuseRest(besides: Self.inert)
    }

    private static func settings(
        _ contents: [String: [UInt8]]
    ) throws(ExamplesError) -> (file: String, values: [String: JSONValue]) {
        let (joint, own) = ("processor_config.json", "preprocessor_config.json")
        if let part = try BaseFile.members(joint, contents, ExamplesError.processor)["image_processor"]?.members,
            !part.isEmpty
        {
            return (joint, part)
        }
        guard contents[own] != nil else {
            throw .processor(
                "the base has no preprocessor_config.json, which says how images become its input: save the base's "
                    + "image processor with save_pretrained, or provide validation.safetensors")
        }
        return (own, try BaseFile.members(own, contents, ExamplesError.processor))
    }

    /// The class without the endings that tell its forms apart.
    private static func className(
        _ settings: [String: JSONValue], _ contents: [String: [UInt8]], _ file: String
    ) throws(ExamplesError) -> String {
        if let full = settings["image_processor_type"]?.text ?? settings["feature_extractor_type"]?.text {
            var name = full
            for ending in ["Pil", "Fast", "ImageProcessor", "FeatureExtractor"] where name.hasSuffix(ending) {
                name.removeLast(ending.count)
            }
            return name
        }
        let model = try BaseFile.members("config.json", contents, ExamplesError.processor)["model_type"]?.text ?? ""
        guard let name = ofModels[model] else {
            throw unsupported(
                file, "no image_processor_type", "expected one, as save_pretrained of the image processor writes it")
        }
        return name
    }

    static func unsupported(_ file: String, _ what: String, _ expected: String) -> ExamplesError {
        .processor(
            "the base's \(file) has \(what), which is not supported: \(expected); or provide validation.safetensors "
                + "with what that processor makes of the images")
    }
}
