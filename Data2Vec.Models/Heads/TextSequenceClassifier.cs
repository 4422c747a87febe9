using Data2Vec.Engine;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Text encoder with a classification head, Data2VecTextForSequenceClassification: first position [B, D] -> dropout ->
/// Linear D -> D -> tanh -> dropout -> Linear D -> C -> logits [B, C].
/// </summary>
public sealed class TextSequenceClassifier : PublishedModel
{
    private readonly LinearLayer dense, output;
    private readonly double dropout;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="labels">Number of classes, or of values.</param>
    /// <param name="problem">What the labels are.</param>
    /// <param name="dropout">Of the head.</param>
    public TextSequenceClassifier(
        ParameterStore store, TextEncoderConfig config, int labels,
        ClassificationProblem problem = ClassificationProblem.OneOfMany, double dropout = 0)
        : base(store, PublishedText.Map(config, "Data2VecTextForSequenceClassification",
            PublishedLayers.Of("classifier.dense", "head.dense")
                .Concat(PublishedLayers.Of("classifier.out_proj", "head.output"))))
    {
        Encoder = new TextEncoder(store, config, TeacherRule.Shared);
        Problem = problem;
        this.dropout = dropout;
        var (width, init) = (config.Transformer.Width, Initializers.Normal(config.Transformer.InitialDeviation));
        dense = new LinearLayer(Head(store, "dense"), width, width, init);
        output = new LinearLayer(Head(store, "output"), width, labels, init);
    }

    /// <summary>The encoder.</summary>
    public TextEncoder Encoder { get; }

    /// <summary>What the labels are.</summary>
    public ClassificationProblem Problem { get; }

    /// <summary>Logits [B, C] of an encoder output [B, T, D].</summary>
    public Tensor Logits(ParameterView p, Tensor last, StepState? step = null)
    {
        var x = Ops.Dropout(Positions.First(last), DropoutSites.OfHead(step, dropout, 0));
        x = Ops.Tanh(dense.Forward(p, x));
        return output.Forward(p, Ops.Dropout(x, DropoutSites.OfHead(step, dropout, 1)));
    }

    /// <summary>The problem's loss; see <see cref="ClassificationLoss.Of"/>.</summary>
    public Tensor Loss(Tensor logits, double[] labels) => ClassificationLoss.Of(Problem, logits, labels);
}
