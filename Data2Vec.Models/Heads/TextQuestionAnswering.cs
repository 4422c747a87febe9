using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Text encoder that marks a span, Data2VecTextForQuestionAnswering: hidden [B, T, D] -> Linear D -> 2 -> logits of the
/// first and of the last token [B, T] each.
/// </summary>
public sealed class TextQuestionAnswering : PublishedModel
{
    private readonly LinearLayer output;

    /// <summary>Declares the parameters.</summary>
    public TextQuestionAnswering(ParameterStore store, TextEncoderConfig config)
        : base(store, PublishedText.Map(
            config, "Data2VecTextForQuestionAnswering", PublishedLayers.Of("qa_outputs", "head")))
    {
        Encoder = new TextEncoder(store, config, TeacherRule.Shared);
        output = new LinearLayer(
            Head(store), config.Transformer.Width, 2, Initializers.Normal(config.Transformer.InitialDeviation));
    }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <summary>Logits of the first and of the last token, [B, T] each.</summary>
    public (Tensor Start, Tensor End) Logits(ParameterView p, Tensor last)
    {
        var both = output.Forward(p, last);
        var shape = new Shape(last.Shape[0], last.Shape[1]);
        return (Ops.Reshape(Ops.Slice(both, 2, 0, 1), shape), Ops.Reshape(Ops.Slice(both, 2, 1, 2), shape));
    }

    /// <summary>Mean of the two cross-entropies; a position outside the sequence does not count.</summary>
    /// <param name="start">[B, T].</param>
    /// <param name="end">[B, T].</param>
    /// <param name="starts">[B] positions; below 0 means 0.</param>
    /// <param name="ends">[B] positions; below 0 means 0.</param>
    public static Tensor Loss(Tensor start, Tensor end, int[] starts, int[] ends)
    {
        var time = start.Shape[1];
        Tensor Of(Tensor logits, int[] positions) => ClassificationLoss.OneOfMany(
            logits, Array.ConvertAll(positions, i => Math.Clamp(i, 0, time)), ignore: time);
        return Ops.Affine(Ops.Add(Of(start, starts), Of(end, ends)), 0.5);
    }
}
