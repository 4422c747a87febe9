using Data2Vec.Engine;

namespace Data2Vec.Models;

/// <summary>The bare vision encoder, Data2VecVisionModel.</summary>
public sealed class VisionModel : PublishedModel
{
    private readonly ImagePooling pooling;

    /// <summary>Declares the parameters.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="poolerNorm">
    /// Pool by the mean of the patches under a norm of its own; else by the class token.
    /// </param>
    public VisionModel(ParameterStore store, VisionEncoderConfig config, bool poolerNorm = false)
        : base(store, PublishedVision.Map(config, poolerNorm))
    {
        Encoder = new VisionEncoder(store, config, TeacherRule.Shared);
        pooling = new ImagePooling(store, config, poolerNorm);
    }

    /// <summary>The encoder.</summary>
    public VisionEncoder Encoder { get; }

    /// <summary>One vector an image [B, D] of an encoder output [B, N + 1, D].</summary>
    public Tensor Pool(ParameterView p, Tensor last) => pooling.Forward(p, last);
}
