using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Text encoder that scores choices, Data2VecTextForMultipleChoice: the pooled first position of each of B * C inputs
/// -> dropout -> Linear D -> 1 -> logits [B, C].
/// </summary>
public sealed class TextMultipleChoice : PublishedModel
{
    private readonly LinearLayer output;
    private readonly double dropout;

    /// <summary>Declares the parameters; the encoder gets a pooler.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="dropout">Of the pooled vector.</param>
    public TextMultipleChoice(ParameterStore store, TextEncoderConfig config, double dropout = 0)
        : base(store, PublishedText.Map(config with { Pooler = true }, "Data2VecTextForMultipleChoice",
            PublishedLayers.Of("classifier", "head")))
    {
        Encoder = new TextEncoder(store, config with { Pooler = true }, TeacherRule.Shared);
        this.dropout = dropout;
        output = new LinearLayer(
            Head(store), config.Transformer.Width, 1, Initializers.Normal(config.Transformer.InitialDeviation));
    }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <summary>Logits [B, C] of pooled vectors [B * C, D], choices of one question one behind the other.</summary>
    public Tensor Logits(ParameterView p, Tensor pooled, int choices, StepState? step = null)
    {
        var scores = output.Forward(p, Ops.Dropout(pooled, DropoutSites.OfHead(step, dropout, 0)));
        return Ops.Reshape(scores, new Shape(pooled.Shape[0] / choices, choices));
    }

    /// <summary>Cross-entropy of the right choices.</summary>
    public static Tensor Loss(Tensor logits, int[] labels) => ClassificationLoss.OneOfMany(logits, labels);
}
