using Data2Vec.Engine;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Audio encoder that classifies frames, Data2VecAudioForAudioFrameClassification: hidden [B, T, D] (or a mixture of
/// all layers) -> Linear D -> C -> logits [B, T, C].
/// </summary>
public sealed class AudioFrameClassifier : PublishedModel
{
    private readonly LayerMixture mixture;
    private readonly LinearLayer output;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="labels">Number of classes.</param>
    /// <param name="weightedLayers">Read a learned mixture of all layers.</param>
    public AudioFrameClassifier(
        ParameterStore store, AudioEncoderConfig config, int labels, bool weightedLayers = false)
        : base(store, PublishedAudio.Map(config, "Data2VecAudioForAudioFrameClassification",
            LayerMixture.Names(weightedLayers).Concat(PublishedLayers.Of("classifier", "head.output"))))
    {
        Encoder = new AudioEncoder(store, config, AudioTeacher.All(TeacherRule.Shared));
        mixture = new LayerMixture(Head(store), config.Transformer.Layers, weightedLayers);
        output = new LinearLayer(Head(store, "output"), config.Transformer.Width, labels,
            Initializers.Normal(config.Transformer.InitialDeviation));
        NeedsHidden = weightedLayers;
    }

    /// <summary>The encoder.</summary>
    public AudioEncoder Encoder { get; }

    /// <summary>The encoder's hidden states must be collected.</summary>
    public bool NeedsHidden { get; }

    /// <summary>Logits [B, T, C] of an encoder output.</summary>
    public Tensor Logits(ParameterView p, EncoderOutput encoded) => output.Forward(p, mixture.Of(p, encoded));

    /// <summary>
    /// Cross-entropy over the frames whose class is not -100; the published loss counts padded frames too.
    /// </summary>
    /// <param name="logits">[B, T, C].</param>
    /// <param name="labels">[B, T] classes.</param>
    public static Tensor Loss(Tensor logits, int[] labels) => ClassificationLoss.OneOfMany(logits, labels);
}
