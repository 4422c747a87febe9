using System.Text.Json;
using Data2Vec.Engine;

namespace Data2Vec.Bench.Conformance;

/// <summary>Makes the engine's schedules from recorded arguments, which have fairseq's names.</summary>
internal static class RecordedSchedules
{
    public static ISchedule Rate(JsonElement item)
    {
        var kind = item.GetProperty("kind").GetString()!;
        var a = item.GetProperty("kwargs");
        var peak = item.TryGetProperty("lr", out var lr) ? First(lr) : 0;
        var (warmup, updates) = ((long)Number(a, "num_warmup_steps", 0), (long)Number(a, "num_training_steps", 0));
        return kind switch
        {
            _ when kind.StartsWith("fairseq_", StringComparison.Ordinal) =>
                Rate(kind["fairseq_".Length..], peak, a, (long)Number(a, "max_update", 0)),
            "vision_cosine" => VisionCosine(a),
            "vision_tri_phase" => new TriPhaseSchedule(Number(a, "base_value", 0), Number(a, "final_value", 0),
                (long)(Number(a, "epochs", 0) * Number(a, "niter_per_ep", 0)), Number(a, "warmup_perc", 0),
                Number(a, "decay_perc", 0), Number(a, "start_warmup_value", 0)),
            "hf_linear" => new PolynomialSchedule(peak, warmup, updates),
            "hf_polynomial" => new PolynomialSchedule(
                peak, warmup, updates, Number(a, "lr_end", 1e-7), Number(a, "power", 1)),
            "hf_cosine" => new WaveSchedule(peak, warmup, updates, Number(a, "num_cycles", 0.5)),
            "hf_constant" => new ConstantSchedule(peak, warmup),
            _ => throw new NotExpressibleException($"the engine has no schedule {kind}"),
        };
    }

    /// <summary>A number of warm-up updates replaces that of epochs, where there is a warm-up at all.</summary>
    private static VisionCosineSchedule VisionCosine(JsonElement a)
    {
        var epoch = Number(a, "niter_per_ep", 0);
        var warmup = Number(a, "warmup_epochs", 0) * epoch;
        if (warmup > 0 && Number(a, "warmup_steps", -1) is var steps and > 0) warmup = steps;
        return new VisionCosineSchedule(Number(a, "base_value", 0), Number(a, "final_value", 0),
            (long)(Number(a, "epochs", 0) * epoch), (long)warmup, Number(a, "start_warmup_value", 0));
    }

    /// <summary>A schedule by fairseq's name and arguments.</summary>
    public static ISchedule Rate(string name, double peak, JsonElement a, long updates) => name switch
    {
        "tri_stage" => TriStage(peak, a, updates),
        "cosine" => new CosineSchedule(peak, (long)Number(a, "warmup_updates", 0), updates, Number(a, "min_lr", 0),
            Number(a, "warmup_init_lr", -1) is var start and >= 0 ? start : null, Number(a, "t_mult", 1),
            Number(a, "lr_shrink", 0.1), Number(a, "lr_period_updates", 0) is var period and > 0 ? period : null),
        "polynomial" or "polynomial_decay" => new PolynomialSchedule(peak, (long)Number(a, "warmup_updates", 0),
            (long)Number(a, "total_num_update", updates), Number(a, "end_learning_rate", 0), Number(a, "power", 1)),
        _ => throw new NotExpressibleException($"the engine has no schedule {name}"),
    };

    /// <summary>A teacher's decay by the recorded counter.</summary>
    public static Func<long, double> Decay(JsonElement item) => item.GetProperty("kind").GetString() switch
    {
        "fairseq" => Ramp(item).Decay,
        "vision" => new VisionEmaSchedule(item.GetProperty("init").GetDouble(), item.GetProperty("decay").GetDouble(),
            item.GetProperty("start_at").GetInt64(), item.GetProperty("iters_per_epoch").GetInt64()).Decay,
        var kind => throw new NotExpressibleException($"the engine has no decay of the kind {kind}"),
    };

    /// <summary>
    /// The decay of every average that the published call makes: in 2.0 only where the counter grew, before it at every
    /// call. One average per finished update is our rule, that of 2.0, so where calls repeat a counter only the decays
    /// are those of a trainer here.
    /// </summary>
    /// <exception cref="DecisionException">They do and all decays are met.</exception>
    public static List<Difference> Calls(JsonElement item)
    {
        var ramp = Ramp(item);
        var guarded = item.GetProperty("model").GetString() == "v2";
        long[] counters = [.. item.GetProperty("counters").EnumerateArray().Select(c => c.GetInt64())];
        var differences = new List<Difference>();
        var calls = item.GetProperty("calls").EnumerateArray().ToArray();
        for (var i = 1; i < calls.Length; i++)
        {
            var n = calls[i].GetProperty("num_updates").GetInt64();
            // NaN stands for "no step": equal to itself and to nothing else.
            var got = !guarded || counters[i] > counters[i - 1] ? ramp.Decay(counters[i]) : double.NaN;
            var stepped = calls[i].TryGetProperty("ema_step_with_decay", out var decay);
            var expected = stepped ? decay.GetDouble() : double.NaN;
            differences.Add(Comparison.Compare($"call {i} at {n}", got, expected, new(Tolerance.Double)));
        }
        var repeated = counters.Zip(counters.Skip(1)).Any(p => p.First >= p.Second);
        return !repeated || guarded || differences.Exists(d => !d.Fits) ? differences : throw new DecisionException(
            "every decay is met; how often a teacher is averaged is the trainer's, here once per finished update");
    }

    private static EmaSchedule Ramp(JsonElement item) => new(
        item.GetProperty("start").GetDouble(), item.GetProperty("end").GetDouble(),
        item.GetProperty("anneal_end_step").GetInt64());

    private static TriStageSchedule TriStage(double peak, JsonElement a, long updates)
    {
        var (initial, final) = (Number(a, "init_lr_scale", 0.01), Number(a, "final_lr_scale", 0.01));
        if (a.TryGetProperty("phase_ratio", out var ratios) && ratios.ValueKind == JsonValueKind.Array)
        {
            // Parts are truncated to whole updates: a few may be left over, where the final rate stays.
            long Part(int i) => (long)(updates * ratios[i].GetDouble());
            return new TriStageSchedule(peak, Part(0), Part(1), Part(2), initial, final);
        }
        return new TriStageSchedule(peak, (long)Number(a, "warmup_steps", 0), (long)Number(a, "hold_steps", 0),
            (long)Number(a, "decay_steps", 0), initial, final);
    }

    private static double First(JsonElement lr) =>
        lr.ValueKind == JsonValueKind.Array ? lr[0].GetDouble() : lr.GetDouble();

    private static double Number(JsonElement a, string name, double otherwise) =>
        a.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : otherwise;
}
