using Data2Vec.Engine;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Text encoder that labels every token, Data2VecTextForTokenClassification: hidden [B, T, D] -> dropout -> Linear
/// D -> C -> logits [B, T, C].
/// </summary>
public sealed class TextTokenClassifier : PublishedModel
{
    private readonly LinearLayer output;
    private readonly double dropout;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="labels">Number of classes.</param>
    /// <param name="dropout">Of the head.</param>
    public TextTokenClassifier(ParameterStore store, TextEncoderConfig config, int labels, double dropout = 0)
        : base(store, PublishedText.Map(
            config, "Data2VecTextForTokenClassification", PublishedLayers.Of("classifier", "head")))
    {
        Encoder = new TextEncoder(store, config, TeacherRule.Shared);
        this.dropout = dropout;
        output = new LinearLayer(Head(store), config.Transformer.Width, labels,
            Initializers.Normal(config.Transformer.InitialDeviation));
    }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <summary>Logits [B, T, C] of an encoder output [B, T, D].</summary>
    public Tensor Logits(ParameterView p, Tensor last, StepState? step = null) =>
        output.Forward(p, Ops.Dropout(last, DropoutSites.OfHead(step, dropout, 0)));

    /// <summary>Cross-entropy over the tokens whose label is not -100.</summary>
    /// <param name="logits">[B, T, C].</param>
    /// <param name="labels">[B, T] classes.</param>
    public static Tensor Loss(Tensor logits, int[] labels) => ClassificationLoss.OneOfMany(logits, labels);
}
