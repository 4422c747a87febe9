using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>One batch of pictures for pre-training.</summary>
/// <param name="Batch">Rows B.</param>
/// <param name="Height">Pixels from top to bottom.</param>
/// <param name="Width">Pixels from left to right.</param>
/// <param name="Pixels">[B, H, W, C], normalised, row-major.</param>
/// <param name="Masked">[B * N], true = the student does not see the patch.</param>
public sealed record VisionPretrainBatch(int Batch, int Height, int Width, float[] Pixels, bool[] Masked);

/// <summary>data2vec vision: encoder and regression head over one parameter store.</summary>
public sealed class VisionPretrainModel : IPretrainable<VisionPretrainBatch>
{
    /// <summary>Declares the model; call <see cref="ParameterStore.Build"/> on its store before use.</summary>
    /// <param name="store">An empty store.</param>
    /// <param name="config">The encoder.</param>
    /// <param name="headLayers">Depth of the regression head.</param>
    /// <param name="head">What the teacher does with the head, which it does not use.</param>
    public VisionPretrainModel(
        ParameterStore store, VisionEncoderConfig config, int headLayers = 1, TeacherRule head = TeacherRule.Shared)
    {
        Store = store;
        Encoder = new VisionEncoder(store, config);
        Head = new RegressionHead(store, config.Transformer.Width, headLayers, config.Transformer.InitialWeights, head);
    }

    /// <inheritdoc/>
    public ParameterStore Store { get; }

    /// <summary>The encoder.</summary>
    public VisionEncoder Encoder { get; }

    /// <inheritdoc/>
    public RegressionHead Head { get; }

    /// <inheritdoc/>
    public EncoderOutput Encode(
        ParameterView parameters, VisionPretrainBatch batch, Tensor? front, bool masked, ForwardMode mode)
    {
        var channels = Encoder.Config.Channels;
        var pixels = Inputs.From(
            parameters, batch.Pixels, new Shape(batch.Batch, batch.Height, batch.Width, channels));
        return Encoder.Forward(parameters, pixels, masked ? batch.Masked : null, mode);
    }

    /// <inheritdoc/>
    public int[] LossRows(VisionPretrainBatch batch) =>
        Array.ConvertAll(Rows.Where(batch.Masked), patch => RowOf(batch, patch));

    /// <inheritdoc/>
    public int[] DataRows(VisionPretrainBatch batch) =>
        [.. Enumerable.Range(0, batch.Masked.Length).Select(patch => RowOf(batch, patch))];

    /// <summary>Patch n of a sample is position n + 1: the class token comes first.</summary>
    private static int RowOf(VisionPretrainBatch batch, int patch)
    {
        var patches = batch.Masked.Length / batch.Batch;
        return patch / patches * (patches + 1) + patch % patches + 1;
    }
}
