using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>
/// Frozen features of an audio encoder, batch by batch: the mean of the last two layers' outputs. Clips of a call have one
/// length.
/// </summary>
public sealed class AudioFeatures : IAudioFeatures
{
    private const int BatchSize = 16;

    private readonly AudioEncoder encoder;
    private readonly ParameterView parameters;

    /// <param name="encoder">The encoder.</param>
    /// <param name="parameters">Its parameters; untracked.</param>
    public AudioFeatures(AudioEncoder encoder, ParameterView parameters)
    {
        this.encoder = encoder;
        this.parameters = parameters;
    }

    /// <inheritdoc/>
    public int Width => encoder.Config.Transformer.Width;

    /// <inheritdoc/>
    public int Frames(int samples) => encoder.Config.Frames(samples);

    /// <inheritdoc/>
    public float[] AtFrames(
        IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, IReadOnlyList<(int Clip, int Frame)> places)
    {
        var features = new float[places.Count * Width];
        var ofClip = Enumerable.Range(0, places.Count).ToLookup(i => places[i].Clip);
        ForBatches(clips, masks, (first, count, frames, values) =>
        {
            for (var b = 0; b < count; b++)
                foreach (var place in ofClip[first + b])
                    values.AsSpan((b * frames + places[place].Frame) * Width, Width).CopyTo(features.AsSpan(place * Width));
        });
        return features;
    }

    /// <inheritdoc/>
    public float[] MeanPooled(IReadOnlyList<float[]> clips)
    {
        var features = new float[clips.Count * Width];
        ForBatches(clips, null, (first, count, frames, values) =>
        {
            for (var i = 0; i < values.Length; i++)
                features[(first + i / (frames * Width)) * Width + i % Width] += values[i] / frames;
        });
        return features;
    }

    /// <summary>Hands out [count, frames, Width] of every batch, with the number of its first clip.</summary>
    private void ForBatches(
        IReadOnlyList<float[]> clips, IReadOnlyList<bool[]>? masks, Action<int, int, int, float[]> use)
    {
        var store = parameters.Store;
        for (var first = 0; first < clips.Count; first += BatchSize)
        {
            var batch = clips.Skip(first).Take(BatchSize).ToArray();
            if (batch.Any(c => c.Length != batch[0].Length))
                throw new ArgumentException("Audio features: the clips must have one length.");
            bool[]? masked = masks is null ? null : [.. masks.Skip(first).Take(batch.Length).SelectMany(m => m)];
            using var scope = store.Device.Scope();
            var waveform = Inputs.From(
                store, [.. batch.SelectMany(c => c)], new Shape(batch.Length, batch[0].Length));
            var output = encoder.Forward(parameters, waveform, null, masked, new ForwardMode(Collect: true));
            var mean = Ops.Affine(Ops.Add(output.Hidden[^1], output.Hidden[^2]), 0.5);
            use(first, batch.Length, mean.Shape[1], mean.ToArray<float>());
        }
    }
}
