using System.Runtime.InteropServices;
using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Whole optimiser runs with recorded gradients: every parameter after every step, and the final moments.
/// </summary>
internal static class OptimTrajectory
{
    public static List<Difference> Run(JsonElement item, SafetensorsFile file, Device device, DType type)
    {
        var config = item.GetProperty("config");
        var optimizer = config.GetProperty("optimizer").GetString()!;
        var (options, decay) = OptionsOf(optimizer, config);
        var recorded32 = config.TryGetProperty("dtype", out var dtype) && dtype.GetString() == "float32";
        var difference = item.GetProperty("float32_vs_float64").GetDouble();
        var tolerance = type == DType.Float64 && !recorded32
            ? new Tolerance(Tolerance.Double)
            : new Tolerance(Math.Max(Tolerance.Single, Tolerance.Factor * difference));
        var prefix = $"run/{OptimSuite.Name(item)}/";
        var parameters = config.GetProperty("shapes").GetArrayLength();
        var (groupOf, scaleOf) = Groups(config, parameters);
        var steps = config.GetProperty("steps").GetInt32();
        var rates = file.ReadDoubles(prefix + "lr");
        var decays = file.ReadDoubles(prefix + "weight_decay");
        var groups = rates.Length / steps;

        using var run = new FlatRun(device, type,
            [.. Enumerable.Range(0, parameters).Select(i => Row(file, $"{prefix}p{i}", 0, steps + 1))]);
        var gradients = Enumerable.Range(0, parameters).Select(i => file.ReadDoubles($"{prefix}g{i}")).ToArray();
        var clip = config.TryGetProperty("clip", out var c) ? c.GetProperty("max_norm").GetDouble() : 0;
        var norms = new List<double>();
        var path = Enumerable.Range(0, parameters).Select(i => new List<double>(run.Read(i))).ToArray();
        for (var t = 0; t < steps; t++)
        {
            for (var i = 0; i < parameters; i++)
            {
                ref var segment = ref run.Segments[i];
                segment.LearningRateScale = scaleOf[groupOf[i]];
                segment.WeightDecay = decays[t * groups + groupOf[i]];
                segment.HasGradient = IsMissing(config, i, t + 1) ? 0 : 1;
                run.SetGradient(i, Slice(gradients[i], t, steps));
            }
            run.Step.LearningRate = rates[t * groups] / scaleOf[0];
            run.Step.MaxGradientNorm = clip;
            run.Update(options);
            norms.Add(run.Step.GradientNorm);
            for (var i = 0; i < parameters; i++) path[i].AddRange(run.Read(i));
        }
        var differences = new List<Difference>();
        for (var i = 0; i < parameters; i++)
        {
            void Add(string name, double[] got) =>
                differences.Add(Comparison.Compare(name, got, file.ReadDoubles(prefix + name), tolerance));
            Add($"p{i}", [.. path[i]]);
            Add($"exp_avg{i}", run.ReadMoment1(i));
            Add($"exp_avg_sq{i}", run.ReadMoment2(i));
            if (item.GetProperty("step_counter_per_parameter")[i] is { ValueKind: JsonValueKind.Number } count)
            {
                differences.Add(Comparison.Compare(
                    $"steps{i}", run.Segments[i].StepCount, count.GetInt32(), Tolerance.Exact));
            }
        }
        if (clip > 0)
        {
            differences.Add(Comparison.Compare(
                "grad_norm", norms.ToArray(), file.ReadDoubles(prefix + "grad_norm"), tolerance));
        }
        return differences;
    }

    /// <summary>
    /// float32 masters of a model in 16 bits: division by the loss scale and the sample size, clipping, fairseq's Adam,
    /// rounded copies; what overflows is skipped.
    /// </summary>
    public static List<Difference> RunMasters(JsonElement item, SafetensorsFile file, Device device)
    {
        var config = item.GetProperty("config");
        var wide = config.GetProperty("dtype").GetString() == "bfloat16";
        ILossScaler? scaler = config.TryGetProperty("scaler", out var s) ? LossScaling.Fairseq(s) : null;
        var (options, decay) = OptionsOf("fairseq_adam", config);
        var prefix = $"half/{OptimSuite.Name(item)}/";
        var parameters = config.GetProperty("shapes").GetArrayLength();
        var rows = item.GetProperty("rows").EnumerateArray().ToArray();
        var tolerance = new Tolerance(Tolerance.Single);
        using var run = new FlatRun(device, DType.Float32,
            [.. Enumerable.Range(0, parameters).Select(i => Row(file, $"{prefix}master{i}", 0, rows.Length + 1))]);
        var differences = new List<Difference>();
        for (var t = 0; t < rows.Length; t++)
        {
            for (var i = 0; i < parameters; i++)
            {
                run.Segments[i].WeightDecay = decay;
                run.SetGradient(i, Row(file, $"{prefix}grad{i}", t, rows.Length));
            }
            run.Step.LearningRate = config.GetProperty("options").GetProperty("lr").GetDouble();
            if (scaler is not null) differences.Add(LossScaling.Scale($"before {t + 1}", scaler, rows[t][1]));
            run.Step.GradientDivisor = config.GetProperty("sample_size").GetDouble() * (scaler?.Scale ?? 1);
            run.Step.MaxGradientNorm = config.GetProperty("max_norm").GetDouble();
            run.Update(options);
            var finite = run.Step.NonFinite == 0;
            scaler?.Update(finite);
            differences.Add(Comparison.Compare(
                $"step {t + 1}", finite ? 1 : 0, rows[t][2].GetString() == "step" ? 1 : 0, Tolerance.Exact));
            if (finite)
            {
                var norm = double.Parse(rows[t][3].GetString()!, System.Globalization.CultureInfo.InvariantCulture);
                differences.Add(Comparison.Compare($"grad_norm {t + 1}", run.Step.GradientNorm, norm, tolerance));
            }
            for (var i = 0; i < parameters; i++)
            {
                var master = Row(file, $"{prefix}master{i}", t + 1, rows.Length + 1);
                differences.Add(Comparison.Compare($"master{i} after {t + 1}", run.Read(i), master, tolerance));
                var copy = Array.ConvertAll(master, m => (double)(wide
                    ? BFloat16.FromSingle((float)m).ToSingle() : Float16.ToSingle(Float16.FromSingle((float)m))));
                differences.Add(Comparison.Compare($"copy{i} after {t + 1}", copy,
                    Row(file, $"{prefix}copy{i}", t + 1, rows.Length + 1), Tolerance.Exact));
            }
        }
        return differences;
    }

    /// <summary>A row of a tensor whose first dimension has <paramref name="rows"/> rows.</summary>
    public static double[] Row(SafetensorsFile file, string name, int index, int rows) =>
        Slice(file.ReadDoubles(name), index, rows).ToArray();

    private static ReadOnlySpan<double> Slice(double[] values, int index, int rows)
    {
        var width = values.Length / rows;
        return values.AsSpan(index * width, width);
    }

    private static (AdamOptions Options, double Decay) OptionsOf(string optimizer, JsonElement config)
    {
        var variant = optimizer switch
        {
            "adam" => AdamVariant.AdamL2,
            "adamw" => AdamVariant.AdamW,
            "fairseq_adam" => AdamVariant.Fairseq,
            _ => throw new NotExpressibleException($"the engine has no {optimizer}"),
        };
        var options = config.GetProperty("options");
        var betas = options.TryGetProperty("betas", out var b) ? (b[0].GetDouble(), b[1].GetDouble()) : (0.9, 0.999);
        var eps = options.TryGetProperty("eps", out var e) ? e.GetDouble() : 1e-8;
        var decay = options.TryGetProperty("weight_decay", out var w) ? w.GetDouble() : 0;
        return (new AdamOptions(betas.Item1, betas.Item2, eps, variant), decay);
    }

    private static (int[] GroupOf, double[] ScaleOf) Groups(JsonElement config, int parameters)
    {
        var groupOf = new int[parameters];
        var scales = new List<double>();
        foreach (var group in config.GetProperty("groups").EnumerateArray())
        {
            foreach (var p in group.GetProperty("params").EnumerateArray()) groupOf[p.GetInt32()] = scales.Count;
            scales.Add(group.TryGetProperty("lr_scale", out var s) ? s.GetDouble() : 1);
        }
        return (groupOf, [.. scales]);
    }

    private static bool IsMissing(JsonElement config, int parameter, int step) =>
        config.TryGetProperty("missing", out var missing)
        && missing.TryGetProperty($"{parameter}", out var steps)
        && steps.EnumerateArray().Any(s => s.GetInt32() == step);
}

/// <summary>Flat parameters, gradients and moments in device memory, as the optimiser kernels take them.</summary>
internal sealed class FlatRun : IDisposable
{
    private readonly DeviceMemory memory;
    private readonly Device device;
    private readonly BufferView values, gradients, moment1, moment2, table, stepView;
    private readonly double[] flat;

    public FlatRun(Device device, DType type, double[][] initial)
    {
        this.device = device;
        memory = new DeviceMemory(device);
        Segments = new Segment[initial.Length];
        long offset = 0;
        for (var i = 0; i < initial.Length; i++)
        {
            Segments[i] = new Segment
            {
                Offset = offset, Length = initial[i].Length, LearningRateScale = 1, HasGradient = 1,
            };
            offset += initial[i].Length;
        }
        flat = new double[offset];
        values = memory.UploadNumbers([.. initial.SelectMany(p => p)], type);
        gradients = memory.UploadNumbers(flat, type);
        moment1 = memory.UploadNumbers(flat, type);
        moment2 = memory.UploadNumbers(flat, type);
        table = memory.Upload<Segment>(Segments, DType.UInt8);
        Step = new StepValues { GradientDivisor = 1, WeightDecayScale = 1 };
        stepView = memory.Upload<byte>(MemoryMarshal.AsBytes(new ReadOnlySpan<StepValues>(in Step)), DType.UInt8);
    }

    public Segment[] Segments { get; }

    public StepValues Step;

    public void SetGradient(int parameter, ReadOnlySpan<double> gradient) =>
        gradient.CopyTo(flat.AsSpan((int)Segments[parameter].Offset));

    public void Update(AdamOptions options)
    {
        if (gradients.DType == DType.Float64) memory.Overwrite<double>(gradients, flat);
        else memory.Overwrite<float>(gradients, Array.ConvertAll(flat, x => (float)x));
        memory.Overwrite<Segment>(table, Segments);
        memory.Overwrite(stepView, new ReadOnlySpan<StepValues>(in Step));
        var norm = new GradientNormArgs
        {
            Gradients = gradients, Segments = table, SegmentCount = Segments.Length, Step = stepView,
        };
        norm.Check();
        device.Backend.GradientNorm(norm);
        var adam = new AdamArgs
        {
            Parameters = values, Gradients = gradients, Moment1 = moment1, Moment2 = moment2, Segments = table,
            SegmentCount = Segments.Length, Step = stepView, Beta1 = options.Beta1, Beta2 = options.Beta2,
            Epsilon = options.Epsilon, Variant = options.Variant,
        };
        adam.Check();
        device.Backend.Adam(adam);
        memory.Download<Segment>(table, Segments.Length).CopyTo(Segments, 0);
        Step = memory.Download<StepValues>(stepView, 1)[0];
    }

    public double[] Read(int parameter) => Part(values, parameter);

    public double[] ReadMoment1(int parameter) => Part(moment1, parameter);

    public double[] ReadMoment2(int parameter) => Part(moment2, parameter);

    public void Dispose() => memory.Dispose();

    private double[] Part(BufferView view, int parameter) =>
        memory.DownloadNumbers(view.At(Segments[parameter].Offset), (int)Segments[parameter].Length);
}
