using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Text encoder with a masked-language head, Data2VecTextForMaskedLM: hidden [B, T, D] -> Linear D -> D -> GELU ->
/// LayerNorm -> times the word table (or a decoder of its own) + bias -> logits [B, T, V].
/// </summary>
public sealed class TextMaskedLanguageModel : PublishedModel
{
    private readonly LinearLayer dense;
    private readonly LayerNormLayer norm;
    private readonly int bias;
    private readonly int? decoderWeight, decoderBias;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="tiedDecoder">Use the word table as the decoder's weight.</param>
    /// <param name="tiedBias">
    /// Use the head's bias as the decoder's; untied, the former is stored and without use.
    /// </param>
    public TextMaskedLanguageModel(
        ParameterStore store, TextEncoderConfig config, bool tiedDecoder = true, bool tiedBias = true)
        : base(store, Map(config, tiedDecoder, tiedBias))
    {
        Encoder = new TextEncoder(store, config, TeacherRule.Shared);
        var t = config.Transformer;
        var init = Initializers.Normal(t.InitialDeviation);
        dense = new LinearLayer(Head(store, "dense"), t.Width, t.Width, init);
        norm = new LayerNormLayer(Head(store, "norm"), t.Width, t.LayerNormEps);
        bias = Head(store).Add("bias", new Shape(config.Vocabulary), Initializers.Zeros);
        if (!tiedDecoder)
            decoderWeight = Head(store, "decoder").Add("weight", new Shape(config.Vocabulary, t.Width), init);
        if (!tiedBias)
            decoderBias = Head(store, "decoder").Add("bias", new Shape(config.Vocabulary), Initializers.Zeros);
    }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <summary>Logits [B, T, V] of an encoder output [B, T, D].</summary>
    public Tensor Logits(ParameterView p, Tensor last)
    {
        var x = norm.Forward(p, dense.Forward(p, last, Activation.Gelu));
        return Ops.Linear(x, decoderWeight is { } w ? p[w] : Encoder.WordTable(p), p[decoderBias ?? bias]);
    }

    /// <summary>Cross-entropy over the positions whose label is not -100.</summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="labels">[B, T] ids.</param>
    public static Tensor Loss(Tensor logits, int[] labels) => ClassificationLoss.OneOfMany(logits, labels);

    private static PublishedMap Map(TextEncoderConfig config, bool tiedDecoder, bool tiedBias)
    {
        var head = PublishedLayers.Of("lm_head.dense", "head.dense")
            .Concat(PublishedLayers.Of("lm_head.layer_norm", "head.norm"))
            .Append(new PublishedTensor("lm_head.bias", "head.bias"));
        var ties = new Dictionary<string, string>();
        if (tiedDecoder) ties["lm_head.decoder.weight"] = "embeddings.word_embeddings.weight";
        else head = head.Append(new PublishedTensor("lm_head.decoder.weight", "head.decoder.weight"));
        if (tiedBias) ties["lm_head.decoder.bias"] = "lm_head.bias";
        else head = head.Append(new PublishedTensor("lm_head.decoder.bias", "head.decoder.bias"));
        return PublishedText.Map(config, "Data2VecTextForMaskedLM", head, ties);
    }
}
