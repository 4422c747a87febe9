using Data2Vec.Kernels;
using Data2Vec.Engine;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Bench.Running;

/// <summary>A whole pre-training update of one modality, on one batch of random data.</summary>
/// <param name="Modality">"text", "vision" or "audio".</param>
/// <param name="Shape">Size of the batch, in words.</param>
/// <param name="Flops">
/// Multiply-adds of matrix products and convolutions, times 2, that an update cannot avoid: teacher forward, student
/// forward and backward (twice its forward).
/// </param>
/// <param name="Start">Makes model and batch on a device.</param>
internal sealed record StepCase(string Modality, string Shape, double Flops, Func<Device, ITrainingSession> Start)
{
    /// <summary>
    /// Base-size models without dropout, on batches that a peer can be given too: 4 x 128 tokens with 15 % masked.
    /// </summary>
    public static IReadOnlyList<StepCase> All { get; } = [Text(batch: 4, time: 128)];

    private static StepCase Text(int batch, int time)
    {
        var config = TextPretrainConfig.OfPreset("base") with
        {
            BatchSize = batch, MicroBatches = 1, Dropout = 0, AttentionDropout = 0, Recompute = false,
        };
        var masked = (int)(0.15 * time);
        var flops = 4 * Layers(config, batch, time) + 3 * 2 * Product(batch * masked, config.Hidden, 2 * config.Hidden);
        return new StepCase("text", $"{batch}x{time} tokens", flops, device =>
        {
            var random = new Random(1);
            var clean = new int[batch * time];
            for (var i = 0; i < clean.Length; i++) clean[i] = random.Next(4, config.VocabularySize - 1);
            var hidden = MaskedRows(random, batch, time, masked);
            int[] source = [.. clean.Select((id, i) => hidden[i] ? config.VocabularySize - 1 : id)];
            var data = new TextPretrainBatch(new(batch, time, source), new(batch, time, clean), hidden);
            return new TrainingSession<TextPretrainBatch>(
                config, config.CreateModel(device, config.VocabularySize), new OneBatch<TextPretrainBatch>(data));
        });
    }

    /// <summary>Forward pass of all layers.</summary>
    private static double Layers(PretrainConfig c, int batch, int time) => c.Layers
        * (Product(batch * time, 4 * c.Hidden + 2 * c.FeedForward, c.Hidden) + 4.0 * batch * time * time * c.Hidden);

    private static double Product(double rows, double from, double to) => 2 * rows * from * to;

    /// <summary>[batch * time], the same number of masked positions in every row.</summary>
    private static bool[] MaskedRows(Random random, int batch, int time, int count)
    {
        var masked = new bool[batch * time];
        for (var b = 0; b < batch; b++)
        {
            int[] places = [.. Enumerable.Range(b * time, time)];
            random.Shuffle(places);
            foreach (var place in places.Take(count)) masked[place] = true;
        }
        return masked;
    }

    private sealed class OneBatch<TBatch>(TBatch batch) : IBatchSource<TBatch>
    {
        public TBatch Get(uint step, int microBatch, int microBatches) => batch;
    }
}
