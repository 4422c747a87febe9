using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>Frozen features of a text encoder, batch by batch, sorted by length so that little is padded.</summary>
public sealed class TextFeatures : ITextFeatures
{
    private const int BatchSize = 128;

    private readonly TextEncoder encoder;
    private readonly ParameterView parameters;

    /// <param name="encoder">The encoder.</param>
    /// <param name="parameters">Its parameters; untracked.</param>
    public TextFeatures(TextEncoder encoder, ParameterView parameters)
    {
        this.encoder = encoder;
        this.parameters = parameters;
    }

    /// <inheritdoc/>
    public int Width => encoder.Config.Transformer.Width;

    /// <inheritdoc/>
    public int Layers => encoder.Config.Transformer.Layers;

    /// <inheritdoc/>
    public float[] AtPositions(IReadOnlyList<int[]> sequences, IReadOnlyList<int> positions)
    {
        var features = new float[sequences.Count * Width];
        ForBatches(sequences, (rows, time, output) =>
        {
            var last = output.Hidden[^1].ToArray<float>();
            var before = output.Hidden[^2].ToArray<float>();
            for (var b = 0; b < rows.Length; b++)
            {
                var at = (b * time + positions[rows[b]]) * Width;
                for (var c = 0; c < Width; c++) features[rows[b] * Width + c] = (last[at + c] + before[at + c]) / 2;
            }
        });
        return features;
    }

    /// <inheritdoc/>
    public float[] MeanPooled(IReadOnlyList<int[]> sequences)
    {
        var features = new float[sequences.Count * Layers * Width];
        ForBatches(sequences, (rows, time, output) =>
        {
            for (var layer = 0; layer < Layers; layer++)
            {
                var hidden = output.Hidden[layer + 1].ToArray<float>();
                for (var b = 0; b < rows.Length; b++)
                {
                    var length = sequences[rows[b]].Length;
                    var to = (rows[b] * Layers + layer) * Width;
                    for (var t = 0; t < length; t++)
                        for (var c = 0; c < Width; c++) features[to + c] += hidden[(b * time + t) * Width + c] / length;
                }
            }
        });
        return features;
    }

    private void ForBatches(IReadOnlyList<int[]> sequences, Action<int[], int, EncoderOutput> use)
    {
        var order = Enumerable.Range(0, sequences.Count).OrderBy(i => sequences[i].Length).ToArray();
        foreach (var rows in order.Chunk(BatchSize))
        {
            var time = rows.Max(r => sequences[r].Length);
            var ids = new int[rows.Length * time];
            Array.Fill(ids, encoder.Config.PaddingId);
            for (var b = 0; b < rows.Length; b++) sequences[rows[b]].CopyTo(ids, b * time);
            using var scope = parameters.Store.Device.Scope();
            use(rows, time, encoder.Forward(parameters, new TextBatch(rows.Length, time, ids), new ForwardMode(Collect: true)));
        }
    }
}
