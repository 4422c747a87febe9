using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Models;

/// <summary>
/// Audio encoder that classifies clips, Data2VecAudioForSequenceClassification: hidden [B, T, D] (or a mixture of all
/// layers) -> Linear D -> P -> mean over the frames that hold data [B, P] -> Linear P -> C -> logits [B, C].
/// </summary>
public sealed class AudioSequenceClassifier : PublishedModel
{
    private readonly LayerMixture mixture;
    private readonly LinearLayer projection, output;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="labels">Number of classes.</param>
    /// <param name="projection">Width P.</param>
    /// <param name="weightedLayers">Read a learned mixture of all layers.</param>
    public AudioSequenceClassifier(
        ParameterStore store, AudioEncoderConfig config, int labels, int projection = 256, bool weightedLayers = false)
        : base(store, PublishedAudio.Map(config, "Data2VecAudioForSequenceClassification",
            LayerMixture.Names(weightedLayers).Concat(PublishedLayers.Of("projector", "head.projection"))
                .Concat(PublishedLayers.Of("classifier", "head.output"))))
    {
        Encoder = new AudioEncoder(store, config, AudioTeacher.All(TeacherRule.Shared));
        var init = Initializers.Normal(config.Transformer.InitialDeviation);
        mixture = new LayerMixture(Head(store), config.Transformer.Layers, weightedLayers);
        this.projection = new LinearLayer(Head(store, "projection"), config.Transformer.Width, projection, init);
        output = new LinearLayer(Head(store, "output"), projection, labels, init);
        NeedsHidden = weightedLayers;
    }

    /// <summary>The encoder.</summary>
    public AudioEncoder Encoder { get; }

    /// <summary>The encoder's hidden states must be collected.</summary>
    public bool NeedsHidden { get; }

    /// <summary>Logits [B, C] of an encoder output.</summary>
    /// <param name="p">Parameters.</param>
    /// <param name="encoded">Of the encoder.</param>
    /// <param name="frames">Frames of each clip that hold data; null = all T.</param>
    public Tensor Logits(ParameterView p, EncoderOutput encoded, int[]? frames)
    {
        var x = projection.Forward(p, mixture.Of(p, encoded));
        return output.Forward(p, Positions.Mean(x, frames));
    }

    /// <summary>Cross-entropy of the classes [B].</summary>
    public static Tensor Loss(Tensor logits, int[] labels) => ClassificationLoss.OneOfMany(logits, labels);
}
