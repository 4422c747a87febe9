using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>
/// Frozen features of a vision encoder, batch by batch: at a hidden patch the encoder's output, of a whole picture the mean
/// over all layers of their LayerNormed outputs, averaged over the patches.
/// </summary>
public sealed class VisionFeatures : IVisionFeatures
{
    private const int BatchSize = 128;

    private readonly VisionEncoder encoder;
    private readonly ParameterView parameters;
    private readonly ImageProcessor processor;

    /// <param name="encoder">The encoder.</param>
    /// <param name="parameters">Its parameters; untracked.</param>
    /// <param name="processor">How pictures become numbers.</param>
    public VisionFeatures(VisionEncoder encoder, ParameterView parameters, ImageProcessor processor)
    {
        this.encoder = encoder;
        this.parameters = parameters;
        this.processor = processor;
    }

    /// <inheritdoc/>
    public int Width => encoder.Config.Transformer.Width;

    /// <inheritdoc/>
    public float[] AtPatches(
        IReadOnlyList<RgbImage> pictures, IReadOnlyList<bool[]> masks, IReadOnlyList<int> patches)
    {
        var features = new float[pictures.Count * Width];
        ForBatches(pictures, masks, (first, output) =>
        {
            var last = output.Last.ToArray<float>();
            var positions = output.Last.Shape[1];
            for (var b = 0; b < output.Last.Shape[0]; b++)
            {
                last.AsSpan((b * positions + patches[first + b] + 1) * Width, Width)
                    .CopyTo(features.AsSpan((first + b) * Width));
            }
        });
        return features;
    }

    /// <inheritdoc/>
    public float[] MeanPooled(IReadOnlyList<RgbImage> pictures)
    {
        var features = new float[pictures.Count * Width];
        var share = 1f / encoder.Config.Transformer.Layers;
        ForBatches(pictures, null, (first, output) =>
        {
            foreach (var layer in output.Hidden.Skip(1))
            {
                var patches = Ops.Slice(Ops.LayerNorm(layer, null, null), 1, 1);
                var mean = Ops.Mean(patches, [1]).ToArray<float>();
                for (var i = 0; i < mean.Length; i++) features[first * Width + i] += share * mean[i];
            }
        });
        return features;
    }

    private void ForBatches(IReadOnlyList<RgbImage> pictures, IReadOnlyList<bool[]>? masks, Action<int, EncoderOutput> use)
    {
        var store = parameters.Store;
        for (var first = 0; first < pictures.Count; first += BatchSize)
        {
            var count = Math.Min(BatchSize, pictures.Count - first);
            var pixels = processor.Process([.. pictures.Skip(first).Take(count)]);
            var shape = new Shape(count, processor.OutputHeight, processor.OutputWidth, 3);
            bool[]? masked = masks is null ? null : [.. masks.Skip(first).Take(count).SelectMany(m => m)];
            using var scope = store.Device.Scope();
            use(first, encoder.Forward(
                parameters, Inputs.From(store, pixels, shape), masked, new ForwardMode(Collect: masks is null)));
        }
    }
}
