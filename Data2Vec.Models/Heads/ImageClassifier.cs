using Data2Vec.Engine;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Vision encoder with a classification head, Data2VecVisionForImageClassification: hidden [B, N + 1, D] -> mean of the
/// patches under a LayerNorm, or the class token after the encoder's norm [B, D] -> Linear D -> C -> logits [B, C].
/// </summary>
public sealed class ImageClassifier : PublishedModel
{
    private readonly ImagePooling pooling;
    private readonly LinearLayer output;

    /// <summary>Declares the parameters. Patches are averaged where the encoder has no norm at its end.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="labels">Number of classes, or of values.</param>
    /// <param name="problem">What the labels are.</param>
    public ImageClassifier(
        ParameterStore store, VisionEncoderConfig config, int labels,
        ClassificationProblem problem = ClassificationProblem.OneOfMany)
        : base(store, PublishedVision.Map(config, !config.FinalNorm, "Data2VecVisionForImageClassification",
            PublishedLayers.Of("classifier", "head")))
    {
        Encoder = new VisionEncoder(store, config, TeacherRule.Shared);
        Problem = problem;
        pooling = new ImagePooling(store, config, meanOfPatches: !config.FinalNorm);
        output = new LinearLayer(Head(store), config.Transformer.Width, labels,
            Initializers.Normal(config.Transformer.InitialDeviation));
    }

    /// <summary>The encoder.</summary>
    public VisionEncoder Encoder { get; }

    /// <summary>What the labels are.</summary>
    public ClassificationProblem Problem { get; }

    /// <summary>One vector an image [B, D] of an encoder output [B, N + 1, D].</summary>
    public Tensor Pool(ParameterView p, Tensor last) => pooling.Forward(p, last);

    /// <summary>Logits [B, C] of an encoder output [B, N + 1, D].</summary>
    public Tensor Logits(ParameterView p, Tensor last) => output.Forward(p, Pool(p, last));

    /// <summary>The problem's loss; see <see cref="ClassificationLoss.Of"/>.</summary>
    public Tensor Loss(Tensor logits, double[] labels) => ClassificationLoss.Of(Problem, logits, labels);
}
