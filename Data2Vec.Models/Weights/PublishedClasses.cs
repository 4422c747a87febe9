using Data2Vec.Engine;

namespace Data2Vec.Models.Weights;

/// <summary>
/// Declares the model of a published class, from its configuration and, where it depends on them, its files.
/// </summary>
public static class PublishedClasses
{
    /// <summary>The classes that can be declared.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "Data2VecAudioModel", "Data2VecAudioForCTC", "Data2VecAudioForSequenceClassification",
        "Data2VecAudioForAudioFrameClassification", "Data2VecAudioForXVector",
        "Data2VecVisionModel", "Data2VecVisionForImageClassification",
        "Data2VecTextModel", "Data2VecTextForMaskedLM", "Data2VecTextForSequenceClassification",
        "Data2VecTextForTokenClassification", "Data2VecTextForQuestionAnswering", "Data2VecTextForMultipleChoice",
    ];

    /// <summary>Declares a model on an empty store.</summary>
    /// <param name="name">The class, such as Data2VecTextForMaskedLM; it need not be that of the files.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="store">An empty store; build it to load or run the model.</param>
    /// <param name="files">
    /// The weights: they say whether a bare model has a pooler and whether a decoder is tied. Null = as a new model.
    /// </param>
    /// <exception cref="InvalidDataException">There is no such class, or the configuration does not fit.</exception>
    public static PublishedModel Declare(
        string name, PublishedConfig config, ParameterStore store, PublishedFiles? files = null)
    {
        if (!Names.Contains(name))
            throw new InvalidDataException($"{config.Source}: there is no model for the class {name}.");
        if (PublishedFamily.OfClass(name) != config.Family)
            throw new InvalidDataException($"{config.Source}: a {config.Family.ModelType} model cannot be a {name}.");
        try
        {
            return Model(name, config, store, files);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{config.Source}: {e.Message}", e);
        }
    }

    private static PublishedModel Model(
        string name, PublishedConfig config, ParameterStore store, PublishedFiles? files) => name switch
        {
            "Data2VecAudioModel" => new AudioModel(store, PublishedAudio.ReadConfig(config)),
            "Data2VecAudioForCTC" => new AudioCtcModel(store, PublishedAudio.ReadConfig(config), Ctc(config)),
            "Data2VecAudioForSequenceClassification" => new AudioSequenceClassifier(
                store, PublishedAudio.ReadConfig(config), config.Labels, config.Whole("classifier_proj_size", 256),
                config.Flag("use_weighted_layer_sum", false)),
            "Data2VecAudioForAudioFrameClassification" => new AudioFrameClassifier(
                store, PublishedAudio.ReadConfig(config), config.Labels, config.Flag("use_weighted_layer_sum", false)),
            "Data2VecAudioForXVector" => new AudioXVectorModel(
                store, PublishedAudio.ReadConfig(config), XVector(config), config.Labels),
            "Data2VecVisionModel" => Vision(config, store, files),
            "Data2VecVisionForImageClassification" => new ImageClassifier(
                store, PublishedVision.ReadConfig(config), config.Labels, config.Problem),
            "Data2VecTextModel" => new TextModel(store, PublishedText.ReadConfig(config, HasPooler(config, files))),
            "Data2VecTextForMaskedLM" => MaskedLanguage(config, store, files),
            "Data2VecTextForSequenceClassification" => new TextSequenceClassifier(
                store, PublishedText.ReadConfig(config), config.Labels, config.Problem, HeadDropout(config)),
            "Data2VecTextForTokenClassification" => new TextTokenClassifier(
                store, PublishedText.ReadConfig(config), config.Labels, HeadDropout(config)),
            "Data2VecTextForQuestionAnswering" => new TextQuestionAnswering(store, PublishedText.ReadConfig(config)),
            "Data2VecTextForMultipleChoice" => new TextMultipleChoice(
                store, PublishedText.ReadConfig(config), config.Number("hidden_dropout_prob", 0)),
            _ => throw new InvalidOperationException($"{name} is listed and cannot be declared."),
        };

    private static CtcConfig Ctc(PublishedConfig config)
    {
        var reduction = config.Text("ctc_loss_reduction") ?? "sum";
        if (reduction is not ("sum" or "mean"))
            throw new InvalidDataException(
                $"{config.Source}: ctc_loss_reduction must be sum or mean; got {reduction}.");
        return new CtcConfig(config.Whole("vocab_size"), config.Whole("pad_token_id", 0), reduction == "mean",
            config.Flag("ctc_zero_infinity", false), config.Number("final_dropout", 0));
    }

    private static XVectorConfig XVector(PublishedConfig config) => new(
        config.WholeList("tdnn_dim", [512, 512, 512, 512, 1500]), config.WholeList("tdnn_kernel", [5, 3, 3, 1, 1]),
        config.WholeList("tdnn_dilation", [1, 2, 3, 1, 1]), config.Whole("xvector_output_dim", 512),
        config.Flag("use_weighted_layer_sum", false));

    /// <summary>Only a model that averages patches has a norm in its pooler.</summary>
    private static VisionModel Vision(PublishedConfig config, ParameterStore store, PublishedFiles? files)
    {
        var encoder = PublishedVision.ReadConfig(config);
        return new VisionModel(store, encoder, files is not null && !encoder.FinalNorm && HasPooler(config, files));
    }

    private static bool HasPooler(PublishedConfig config, PublishedFiles? files) =>
        files is null || files.Names.Any(n =>
            config.Family.WithoutPrefix(n).StartsWith("pooler.", StringComparison.Ordinal));

    private static double HeadDropout(PublishedConfig config) =>
        config.Number("classifier_dropout", config.Number("hidden_dropout_prob", 0));

    /// <summary>
    /// Files win over the configuration: a decoder that differs from what it should be tied to is one of its own.
    /// </summary>
    private static TextMaskedLanguageModel MaskedLanguage(
        PublishedConfig config, ParameterStore store, PublishedFiles? files)
    {
        var tied = config.Flag("tie_word_embeddings", true);
        var words = PublishedFamily.Text.Prefix + "embeddings.word_embeddings.weight";
        return new TextMaskedLanguageModel(store, PublishedText.ReadConfig(config),
            tied && !Differ(files, "lm_head.decoder.weight", words),
            tied && !Differ(files, "lm_head.decoder.bias", "lm_head.bias"));
    }

    private static bool Differ(PublishedFiles? files, string name, string original) =>
        files is not null && files.Contains(name) && files.Contains(original)
        && !files.FileOf(name).ReadSingles(name).AsSpan().SequenceEqual(
            files.FileOf(original).ReadSingles(original));
}
