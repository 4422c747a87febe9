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
    /// Base-size models on batches that a peer can be given too: 4 x 128 tokens with 15 % masked, 4 pictures with 60 %
    /// of their patches masked, 5 s of speech with 49 % of its frames masked.
    /// </summary>
    public static IReadOnlyList<StepCase> All { get; } =
    [
        Text(TextPretrainConfig.Presets["base"], batch: 4, time: 128),
        Vision(VisionPretrainConfig.Presets["base"], batch: 4),
        Audio(AudioPretrainConfig.Presets["base"], batch: 1, samples: 80_000),
    ];

    /// <summary>For who asks for another.</summary>
    public static string Names => "there are " + string.Join(", ", All.Select(c => c.Id));

    /// <summary>Type of the activations.</summary>
    public DType Type { get; init; } = DType.Float32;

    /// <summary>Masked positions of each sample.</summary>
    public int Masked { get; init; }

    /// <summary>Modality and shape, which the filter of the command line looks at.</summary>
    public string Id => $"{Modality}/{Shape}";

    /// <summary>Rows of tokens; embeddings are shared with the teacher.</summary>
    public static StepCase Text(TextPretrainConfig preset, int batch, int time)
    {
        var config = Plain(preset, batch);
        var masked = (int)(0.15 * time);
        var flops = 4 * Layers(config, batch, time) + 3 * 2 * Product(batch * masked, config.Hidden, 2 * config.Hidden);
        return new StepCase("text", $"{batch}x{time} tokens", flops, device =>
        {
            var random = new Random(1);
            var clean = new int[batch * time];
            for (var i = 0; i < clean.Length; i++) clean[i] = random.Next(4, config.VocabularySize - 1);
            var hidden = MaskedRows(random, batch, time, masked);
            int[] source = [.. clean.Select((id, i) => hidden[i] ? config.VocabularySize - 1 : id)];
            return Session(config, config.CreateModel(device, config.VocabularySize),
                new TextPretrainBatch(new(batch, time, source), new(batch, time, clean), hidden));
        }) { Type = TypeOf(config), Masked = masked };
    }

    /// <summary>Pictures of the preset's size; the teacher is a copy of the whole encoder.</summary>
    public static StepCase Vision(VisionPretrainConfig preset, int batch)
    {
        var config = Plain(preset, batch) with { DropPath = 0 };
        var (patches, side) = (config.Grid * config.Grid, config.ImageSize);
        var masked = (int)(0.6 * patches + 0.5);
        var flops = 4 * Layers(config, batch, patches + 1)
            + 3 * Product(batch * patches, 3 * config.PatchSize * config.PatchSize, config.Hidden)
            + 3 * Product(batch * masked, config.Hidden, config.Hidden);
        return new StepCase("vision", $"{batch}x{patches + 1} tokens", flops, device =>
        {
            var random = new Random(1);
            var pixels = Normal(random, batch * side * side * 3);
            return Session(config, config.CreateModel(new ParameterStore(device)),
                new VisionPretrainBatch(batch, side, side, pixels, MaskedRows(random, batch, patches, masked)));
        }) { Type = TypeOf(config), Masked = masked };
    }

    /// <summary>Waveforms without padding; features and positions are shared with the teacher.</summary>
    public static StepCase Audio(AudioPretrainConfig preset, int batch, int samples)
    {
        var config = Plain(preset, batch) with { LayerDrop = 0, ActivationDropout = 0 };
        var encoder = config.Encoder();
        var time = encoder.Frames(samples);
        var masked = (int)(0.49 * time);
        var flops = 4 * Layers(config, batch, time) + 3 * Product(batch * masked, config.Hidden, config.Hidden);
        var (frames, channels) = (samples, 1);
        foreach (var layer in encoder.Features)
        {
            frames = (frames - layer.Kernel) / layer.Stride + 1;
            // Nobody asks for the gradient of the samples.
            flops += (channels == 1 ? 2 : 3) * Product(batch * frames, layer.Kernel * channels, layer.Channels);
            channels = layer.Channels;
        }
        var taps = encoder.PositionKernel * config.Hidden / encoder.PositionGroups;
        flops += 4 * encoder.PositionLayers * Product(batch * time, taps, config.Hidden)
            + 3 * Product(batch * time, channels, config.Hidden);
        return new StepCase("audio", $"{batch}x{samples} samples", flops, device =>
        {
            var random = new Random(1);
            var waveforms = Normal(random, batch * samples);
            return Session(config, config.CreateModel(new ParameterStore(device)),
                new AudioPretrainBatch(batch, samples, waveforms, null, MaskedRows(random, batch, time, masked)));
        }) { Type = TypeOf(config), Masked = masked };
    }

    /// <summary>What the arithmetic is bound by.</summary>
    private static DType TypeOf(PretrainConfig config) => config.Precision.Type() ?? DType.Float32;

    /// <summary>One micro-batch, nothing dropped, everything kept for backward.</summary>
    private static T Plain<T>(T preset, int batch)
        where T : PretrainConfig => preset with
    {
        BatchSize = batch, MicroBatches = 1, Dropout = 0, AttentionDropout = 0, Recompute = false,
    };

    private static TrainingSession<TBatch> Session<TBatch>(
        PretrainConfig config, IPretrainable<TBatch> model, TBatch batch) => new(config, model, new OneBatch<TBatch>(batch));

    /// <summary>Forward pass of all layers.</summary>
    private static double Layers(PretrainConfig c, int batch, int time) => c.Layers
        * (Product(batch * time, 4 * c.Hidden + 2 * c.FeedForward, c.Hidden) + 4.0 * batch * time * time * c.Hidden);

    private static double Product(double rows, double from, double to) => 2 * rows * from * to;

    private static float[] Normal(Random random, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble()));
        return values;
    }

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
