using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>One recorded run of the published vision pre-training.</summary>
internal sealed class PretrainVisionCase : RecordedRun
{
    private readonly JsonElement item, info;
    private readonly SafetensorsFile inputs, expected;
    private readonly VisionSetup setup;
    private readonly VisionPretrainModel model;
    private readonly PublishedParameters parameters;
    private readonly ObjectiveConfig objective;

    public PretrainVisionCase(
        JsonElement item, SafetensorsFile inputs, SafetensorsFile expected, Device device, DType type)
        : base(device, type)
    {
        (this.item, this.inputs, this.expected) = (item, inputs, expected);
        var config = item.GetProperty("config");
        info = item.GetProperty("info");
        setup = new VisionSetup(config);
        var relative = setup.Flag("rel_pos", true) ? RelativePositions.Shared : RelativePositions.None;
        var encoder = setup.Encoder(relative, maskToken: true, finalNorm: true);
        model = new VisionPretrainModel(
            new ParameterStore(device, type), encoder, head: TeacherRule.Averaged);
        model.Store.Build(1, setup.WeightDecay, decayVectors: false);
        parameters = new PublishedParameters(
            model.Store, OriginalNames.Vision(encoder, OriginalNames.Layer("lm_head", "head.0")));
        objective = MakeObjective(config, info.GetProperty("engine_flags"), setup);
        Step.Values.MaxGradientNorm = setup.Clip;
    }

    public List<Difference> Compare()
    {
        Load("student.", ParameterPart.Student);
        Load("teacher.", ParameterPart.Teacher);
        if (inputs.Contains("relative_position_index"))
        {
            var encoder = model.Encoder.Config;
            int[] index = RelativePositionBias.Index(encoder.GridHeight, encoder.GridWidth);
            Add(inputs, "relative_position_index", Array.ConvertAll(index, i => (double)i), Tolerance.Exact);
        }
        var ema = item.GetProperty("config").GetProperty("ema");
        var teacher = new VisionEmaSchedule(ema.GetProperty("init").GetDouble(), ema.GetProperty("decay").GetDouble(),
            ema.GetProperty("start_at").GetInt64(), setup.EpochLength);
        Whole("schedule_lr", setup.Rates);
        Whole("schedule_wd", setup.Decays);
        for (var s = 0; s < setup.Steps; s++)
        {
            var iteration = setup.First + s;
            Step.Values.LearningRate = setup.Rates.Rate(iteration);
            Step.Values.WeightDecayScale = setup.Decays.Rate(iteration) / setup.WeightDecay;
            // A recorded run is one epoch.
            Step.Values.EmaDecay = teacher.Decay(iteration, setup.First);
            Number($"lr[{s}]", Step.Values.LearningRate, info.GetProperty("lr")[s], new(Tolerance.Double));
            Number($"decay[{s}]", Step.Values.EmaDecay, info.GetProperty("decay")[s], new(Tolerance.Double));
            Update(s);
        }
        return Differences;
    }

    public override void Dispose()
    {
        base.Dispose();
        model.Store.Dispose();
    }

    private static ObjectiveConfig MakeObjective(JsonElement config, JsonElement flags, VisionSetup setup)
    {
        bool Flag(string name, bool otherwise) =>
            flags.TryGetProperty(name, out var value) ? value.GetBoolean() : otherwise;
        double Number(string name, double otherwise) =>
            flags.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
        var tap = flags.GetProperty("layer_results").GetString() switch
        {
            "end" => TargetTap.Block,
            "fc" => TargetTap.Branch,
            var other => throw new NotExpressibleException($"layer_results {other} is not expressed"),
        };
        int[] layers = [.. config.GetProperty("target_layers").EnumerateArray().Select(l => l.GetInt32())];
        var recipe = new TargetRecipe(layers.Length, Flag("target_batch_norm", false),
            Flag("target_instance_norm", false), Flag("target_layer_norm_last", true),
            Flag("post_target_layer_norm", true), Flag("post_target_instance_norm", false), tap)
        {
            Layers = layers, FinalInstanceNormFirst = true, ClassToken = true,
        };
        var scale = Number("loss_scale", -1) is var given && given != -1 ? given : 1;
        return new ObjectiveConfig(recipe, Flag("l2_loss", false) ? 0 : setup.Number("l1_beta", 1), scale / setup.Width)
        {
            HingeWeight = scale * Number("var_w0", 0), HingeMargin = Number("var_margin0", 0.5),
        };
    }

    private void Load(string prefix, ParameterPart part)
    {
        foreach (var (published, recorded) in Recorded(inputs, prefix))
            parameters.Write(part, published, inputs.ReadDoubles(recorded));
    }

    private void Whole(string name, ISchedule schedule)
    {
        double[] values = [.. info.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
        double[] got = [.. Enumerable.Range(0, values.Length).Select(i => schedule.Rate(i))];
        Differences.Add(Comparison.Compare(name, got, values, new(Tolerance.Double)));
    }

    private void Update(int s)
    {
        model.Store.ClearGradients();
        var prefix = $"step{s + 1}/";
        using var scope = Device.Scope();
        using var tape = new Tape(Device);
        using var student = model.Store.Student(tape);
        var result = Objective.Run(model, Batch(s), student, objective,
            new ForwardMode(Collect: true, KeepPaths: KeptPaths(s)));
        Number($"masked[{s}]", result.Rows, info.GetProperty("masked")[s], Tolerance.Exact);
        Stages(prefix, result);
        tape.Backward(result.Loss);
        Step.Values.GradientDivisor = result.Rows;
        Step.Upload();
        model.Store.ComputeGradientNorm(Step);
        Step.Download();
        Add(expected, prefix + "grad_norm", [Step.Values.GradientNorm], Of("grad_norm"));
        Add(expected, prefix + "clip_coef", [Step.Values.GradientFactor * result.Rows], Of("clip_coef"));
        Probed(prefix + "grad.", ParameterPart.Gradient, "grad", result.Rows);
        Move(model.Store, setup.Adam);
        Probed(prefix + "student.", ParameterPart.Student, "student");
        Probed(prefix + "teacher.", ParameterPart.Teacher, "teacher");
    }

    private void Stages(string prefix, ObjectiveResult result)
    {
        var teacher = result.Teacher!;
        Add(expected, prefix + "pred", result.Prediction, Of("pred"));
        Add(expected, prefix + "target_rows", result.Target, Of("target_rows"));
        Add(expected, prefix + "loss", [result.Loss.Item() / result.Rows], Of("loss"));
        Add(expected, prefix + "loss_elem", Ops.SmoothL1(result.Prediction.Detach(), result.Target,
            beta: objective.Beta, reduction: Reduction.None), Of("loss_elem"));
        Norms(prefix, teacher);
        Add(expected, prefix + "teacher_layers", Ops.Stack([.. Taps(teacher).Select(t => Ops.Slice(t, 1, 1))], 0),
            Of("teacher_layers"));
        Add(expected, prefix + "student_blocks", Ops.Stack([.. result.Student.Hidden.Skip(1)], 0),
            Of("student_blocks"));
        Add(expected, prefix + "student_norm", result.Student.Last, Of("student_norm"));
        if (expected.Contains(prefix + "rel_pos_bias"))
        {
            using var student = model.Store.Student();
            var grid = model.Encoder.Config;
            Add(expected, prefix + "rel_pos_bias",
                model.Encoder.SharedBias(student, grid.GridHeight, grid.GridWidth)!, Of("rel_pos_bias"));
        }
    }

    /// <summary>
    /// The targets' norms in the order of their calls: one kind after the other over all layers, then those of the
    /// average. Batch and instance norms were recorded on [B, D, N].
    /// </summary>
    private void Norms(string prefix, EncoderOutput teacher)
    {
        var full = objective.Recipe;
        var none = full with
        {
            BatchNorm = false, InstanceNorm = false, LayerNorm = false, FinalInstanceNorm = false,
            FinalLayerNorm = false,
        };
        var (number, before) = (0, none);
        void Call(TargetRecipe after, bool channelsSecond, Func<TargetRecipe, Tensor> value)
        {
            Tensor Recorded(Tensor x) => channelsSecond ? Ops.Permute(x, 0, 2, 1) : x;
            Add(expected, $"{prefix}norm{number}.in", Recorded(value(before)), Of($"norm{number}"));
            Add(expected, $"{prefix}norm{number}.out", Recorded(value(after)), Of($"norm{number}"));
            number++;
        }
        var taps = Taps(teacher).ToList();
        (bool Asked, TargetRecipe After, bool ChannelsSecond)[] layers =
        [
            (full.BatchNorm, before with { BatchNorm = true }, true),
            (full.InstanceNorm, before with { BatchNorm = full.BatchNorm, InstanceNorm = true }, true),
            (full.LayerNorm, full with { FinalInstanceNorm = false, FinalLayerNorm = false }, false),
        ];
        foreach (var (asked, after, second) in layers.Where(l => l.Asked))
        {
            foreach (var layer in full.Layers!) Call(after, second, r => TargetBuilder.Normalise(taps[layer], r));
            before = after;
        }
        Tensor Average(TargetRecipe recipe) => Ops.Slice(TargetBuilder.Build(teacher, recipe), 1, 1);
        var instance = before with { FinalInstanceNorm = true };
        if (full.FinalInstanceNorm)
        {
            Call(instance, true, Average);
            before = instance;
        }
        if (full.FinalLayerNorm) Call(before with { FinalLayerNorm = true }, false, Average);
        Number(prefix + "norms", number, info.GetProperty("target_norm_calls").GetArrayLength(), Tolerance.Exact);
    }

    private IEnumerable<Tensor> Taps(EncoderOutput teacher) =>
        objective.Recipe.Tap == TargetTap.Block ? teacher.Hidden.Skip(1) : teacher.Branches;

    private VisionPretrainBatch Batch(int s)
    {
        var shape = inputs["images"].ToShape();
        var (batch, channels, height, width) = (shape[1], shape[2], shape[3], shape[4]);
        var size = batch * channels * height * width;
        var images = inputs.Read<float>("images").AsSpan(s * size, size);
        var masks = inputs.Read<byte>("masks");
        var patches = masks.Length / shape[0];
        return new VisionPretrainBatch(batch, height, width,
            VisionSetup.ChannelsLast(images, batch, channels, height, width),
            [.. masks.AsSpan(s * patches, patches).ToArray().Select(m => m != 0)]);
    }

    /// <summary>
    /// Recorded draws of stochastic depth: floor(1 - p + u) of row 2 (i - 1) + block, none in block 0.
    /// </summary>
    private Func<int, int, Tensor?>? KeptPaths(int s)
    {
        if (!inputs.Contains("drop_uniforms")) return null;
        var shape = inputs["drop_uniforms"].ToShape();
        var draws = inputs.Read<float>("drop_uniforms");
        var (rate, depth) = (setup.Number("drop_path", 0), setup.Int("depth"));
        return (layer, block) =>
        {
            if (layer == 0) return null;
            var first = (s * shape[1] + 2 * (layer - 1) + block) * shape[2];
            var keep = 1 - rate * layer / (depth - 1);
            bool[] kept = [.. draws.AsSpan(first, shape[2]).ToArray().Select(u => keep + u >= 1)];
            return Tensor.From<bool>(Device, kept, new Shape(kept.Length));
        };
    }

    /// <summary>Parameters of a step, whole or as five numbers each.</summary>
    private void Probed(string prefix, ParameterPart part, string quantity, double divisor = 1)
    {
        var recorded = Recorded(expected, prefix).ToList();
        if (part == ParameterPart.Gradient && recorded.All(r => IsWhole(r.Published, r.Recorded)))
        {
            Gradients(expected, parameters, recorded, divisor, Of(quantity));
            return;
        }
        foreach (var (published, name) in recorded)
        {
            var values = Array.ConvertAll(parameters.Read(part, published), v => v / divisor);
            Add(expected, name, IsWhole(published, name) ? values : VisionSetup.Probe(values),
                OfParameter(published, Of(quantity)));
        }
    }

    private bool IsWhole(string published, string recorded) =>
        expected[recorded].ToShape().Count == parameters.ShapeOf(published).Count
        && (parameters.ShapeOf(published).Count != 5 || expected[recorded].ToShape().Rank > 1);

    private Tolerance Of(string kind) => Of(item.GetProperty("float32_vs_float64").GetProperty(kind).GetDouble());

    private static IEnumerable<(string Published, string Recorded)> Recorded(SafetensorsFile file, string prefix) =>
        from entry in file.Entries
        where entry.Name.StartsWith(prefix, StringComparison.Ordinal)
        select (entry.Name[prefix.Length..], entry.Name);
}
