using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Some updates of the vision trainer, in pre-training or fine-tuning: rates and decays by iteration, AdamW in groups,
/// tensors recorded whole or as five numbers.
/// </summary>
internal abstract class VisionRun(
    JsonElement item, SafetensorsFile inputs, SafetensorsFile expected, Device device, DType type)
    : RecordedRun(device, type)
{
    protected JsonElement Config { get; } = item.GetProperty("config");

    protected JsonElement Info { get; } = item.GetProperty("info");

    protected VisionSetup Setup { get; } = new(item.GetProperty("config"));

    protected SafetensorsFile Inputs => inputs;

    protected SafetensorsFile Expected => expected;

    /// <summary>The model's parameters, built.</summary>
    protected abstract ParameterStore Store { get; }

    /// <summary>The same by their recorded names.</summary>
    protected abstract PublishedParameters Parameters { get; }

    /// <summary>Loads the weights and compares what holds before the first update.</summary>
    protected abstract void Start();

    /// <summary>One update; rates and decays are set, gradients are cleared.</summary>
    protected abstract void Update(int s, string prefix);

    public List<Difference> Compare()
    {
        Start();
        Table("schedule_lr", Setup.Rates);
        Table("schedule_wd", Setup.Decays);
        Step.Values.MaxGradientNorm = Setup.Clip;
        for (var s = 0; s < Setup.Steps; s++)
        {
            var iteration = Setup.First + s;
            Step.Values.LearningRate = Setup.Rates.Rate(iteration);
            // The parameters have the decay 1 or none. A run without decay has no schedule of it either.
            Step.Values.WeightDecayScale = Setup.WeightDecay > 0 ? Setup.Decays.Rate(iteration) : 0;
            if (Info.TryGetProperty("lr", out var rates))
                Number($"lr[{s}]", Step.Values.LearningRate, rates[s], new(Tolerance.Double));
            if (Info.TryGetProperty("wd", out var decays))
                Number($"wd[{s}]", Step.Values.WeightDecayScale, decays[s][1], new(Tolerance.Double));
            Store.ClearGradients();
            Update(s, $"step{s + 1}/");
        }
        Whole(expected, "");
        return Differences;
    }

    public override void Dispose()
    {
        base.Dispose();
        Store.Dispose();
    }

    /// <summary>Norm, clip factor and finite check into the step values; the divisor is set.</summary>
    protected void ComputeNorm()
    {
        Step.Upload();
        Store.ComputeGradientNorm(Step);
        Step.Download();
    }

    protected void Load(string prefix, ParameterPart part)
    {
        foreach (var (published, recorded) in Recorded(inputs, prefix))
            Parameters.Write(part, published, inputs.ReadDoubles(recorded));
    }

    /// <summary>Batch n of the recorded images [n, B, C, H, W] as [B, H, W, C].</summary>
    protected (float[] Pixels, Shape Shape) Pixels(int n)
    {
        var shape = inputs["images"].ToShape();
        var (batch, channels, height, width) = (shape[1], shape[2], shape[3], shape[4]);
        var size = batch * channels * height * width;
        var images = inputs.Read<float>("images").AsSpan(n * size, size);
        return (VisionSetup.ChannelsLast(images, batch, channels, height, width),
            new Shape(batch, height, width, channels));
    }

    /// <summary>Parameters of a step, whole or as five numbers each.</summary>
    protected void Probed(string prefix, ParameterPart part, string quantity, double divisor = 1)
    {
        var recorded = Recorded(expected, prefix).ToList();
        if (part == ParameterPart.Gradient && recorded.All(r => IsWhole(r.Published, r.Recorded)))
        {
            Gradients(expected, Parameters, recorded, divisor, Of(quantity));
            return;
        }
        foreach (var (published, name) in recorded)
        {
            var values = Array.ConvertAll(Parameters.Read(part, published), v => v / divisor);
            Add(expected, name, IsWhole(published, name) ? values : VisionSetup.Probe(values),
                OfParameter(published, Of(quantity)));
        }
    }

    protected Tolerance Of(string kind) => Of(item.GetProperty("float32_vs_float64").GetProperty(kind).GetDouble());

    private void Table(string name, ISchedule schedule)
    {
        if (!Info.TryGetProperty(name, out var list)) return;
        double[] values = [.. list.EnumerateArray().Select(v => v.GetDouble())];
        double[] got = [.. Enumerable.Range(0, values.Length).Select(i => schedule.Rate(i))];
        Differences.Add(Comparison.Compare(name, got, values, new(Tolerance.Double)));
    }

    private bool IsWhole(string published, string recorded) =>
        expected[recorded].ToShape().Count == Parameters.ShapeOf(published).Count
        && (Parameters.ShapeOf(published).Count != 5 || expected[recorded].ToShape().Rank > 1);

    private static IEnumerable<(string Published, string Recorded)> Recorded(SafetensorsFile file, string prefix) =>
        from entry in file.Entries
        where entry.Name.StartsWith(prefix, StringComparison.Ordinal)
        select (entry.Name[prefix.Length..], entry.Name);
}
