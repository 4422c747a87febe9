using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>One recorded run of the published vision pre-training.</summary>
internal sealed class PretrainVisionCase : VisionRun
{
    private readonly VisionPretrainModel model;
    private readonly ObjectiveConfig objective;
    private readonly VisionEmaSchedule ema;

    public PretrainVisionCase(
        JsonElement item, SafetensorsFile inputs, SafetensorsFile expected, Device device, DType type)
        : base(item, inputs, expected, device, type)
    {
        var relative = Setup.Flag("rel_pos", true) ? RelativePositions.Shared : RelativePositions.None;
        var encoder = Setup.Encoder(relative, maskToken: true, finalNorm: true);
        model = new VisionPretrainModel(new ParameterStore(device, type), encoder, head: TeacherRule.Averaged);
        model.Store.Build(1, weightDecay: 1, decayVectors: false);
        Parameters = new PublishedParameters(
            model.Store, OriginalNames.Vision(encoder, OriginalNames.Layer("lm_head", "head.0")));
        objective = MakeObjective(Config, Info.GetProperty("engine_flags"), Setup);
        var teacher = Config.GetProperty("ema");
        ema = new VisionEmaSchedule(teacher.GetProperty("init").GetDouble(), teacher.GetProperty("decay").GetDouble(),
            teacher.GetProperty("start_at").GetInt64(), Setup.EpochLength);
    }

    protected override ParameterStore Store => model.Store;

    protected override PublishedParameters Parameters { get; }

    protected override void Start()
    {
        Load("student.", ParameterPart.Student);
        Load("teacher.", ParameterPart.Teacher);
        if (!Inputs.Contains("relative_position_index")) return;
        var encoder = model.Encoder.Config;
        int[] index = RelativePositionBias.Index(encoder.GridHeight, encoder.GridWidth);
        Add(Inputs, "relative_position_index", Array.ConvertAll(index, i => (double)i), Tolerance.Exact);
    }

    protected override void Update(int s, string prefix)
    {
        // A recorded run is one epoch.
        Step.Values.EmaDecay = ema.Decay(Setup.First + s, Setup.First);
        Number($"decay[{s}]", Step.Values.EmaDecay, Info.GetProperty("decay")[s], new(Tolerance.Double));
        using var scope = Device.Scope();
        using var tape = new Tape(Device);
        using var student = Store.Student(tape);
        var result = Objective.Run(model, Batch(s), student, objective,
            new ForwardMode(Collect: true, KeepPaths: KeptPaths(s)));
        Number($"masked[{s}]", result.Rows, Info.GetProperty("masked")[s], Tolerance.Exact);
        Stages(prefix, result);
        tape.Backward(result.Loss);
        Step.Values.GradientDivisor = result.Rows;
        ComputeNorm();
        Add(Expected, prefix + "grad_norm", [Step.Values.GradientNorm], Of("grad_norm"));
        Add(Expected, prefix + "clip_coef", [Step.Values.GradientFactor * result.Rows], Of("clip_coef"));
        Probed(prefix + "grad.", ParameterPart.Gradient, "grad", result.Rows);
        Move(Store, Setup.Adam);
        Probed(prefix + "student.", ParameterPart.Student, "student");
        Probed(prefix + "teacher.", ParameterPart.Teacher, "teacher");
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

    private void Stages(string prefix, ObjectiveResult result)
    {
        var teacher = result.Teacher!;
        Add(Expected, prefix + "pred", result.Prediction, Of("pred"));
        Add(Expected, prefix + "target_rows", result.Target, Of("target_rows"));
        Add(Expected, prefix + "loss", [result.Loss.Item() / result.Rows], Of("loss"));
        Add(Expected, prefix + "loss_elem", Ops.SmoothL1(result.Prediction.Detach(), result.Target,
            beta: objective.Beta, reduction: Reduction.None), Of("loss_elem"));
        Norms(prefix, teacher);
        Add(Expected, prefix + "teacher_layers", Ops.Stack([.. Taps(teacher).Select(t => Ops.Slice(t, 1, 1))], 0),
            Of("teacher_layers"));
        Add(Expected, prefix + "student_blocks", Ops.Stack([.. result.Student.Hidden.Skip(1)], 0),
            Of("student_blocks"));
        Add(Expected, prefix + "student_norm", result.Student.Last, Of("student_norm"));
        if (Expected.Contains(prefix + "rel_pos_bias"))
        {
            using var student = model.Store.Student();
            var grid = model.Encoder.Config;
            Add(Expected, prefix + "rel_pos_bias",
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
            Add(Expected, $"{prefix}norm{number}.in", Recorded(value(before)), Of($"norm{number}"));
            Add(Expected, $"{prefix}norm{number}.out", Recorded(value(after)), Of($"norm{number}"));
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
        Number(prefix + "norms", number, Info.GetProperty("target_norm_calls").GetArrayLength(), Tolerance.Exact);
    }

    private IEnumerable<Tensor> Taps(EncoderOutput teacher) =>
        objective.Recipe.Tap == TargetTap.Block ? teacher.Hidden.Skip(1) : teacher.Branches;

    private VisionPretrainBatch Batch(int s)
    {
        var (pixels, shape) = Pixels(s);
        var masks = Inputs.Read<byte>("masks");
        var patches = masks.Length / Inputs["masks"].ToShape()[0];
        return new VisionPretrainBatch(shape[0], shape[1], shape[2], pixels,
            [.. masks.AsSpan(s * patches, patches).ToArray().Select(m => m != 0)]);
    }

    /// <summary>
    /// Recorded draws of stochastic depth: floor(1 - p + u) of row 2 (i - 1) + block, none in block 0.
    /// </summary>
    private Func<int, int, Tensor?>? KeptPaths(int s)
    {
        if (!Inputs.Contains("drop_uniforms")) return null;
        var shape = Inputs["drop_uniforms"].ToShape();
        var draws = Inputs.Read<float>("drop_uniforms");
        var (rate, depth) = (Setup.Number("drop_path", 0), Setup.Int("depth"));
        return (layer, block) =>
        {
            if (layer == 0) return null;
            var first = (s * shape[1] + 2 * (layer - 1) + block) * shape[2];
            var keep = 1 - rate * layer / (depth - 1);
            bool[] kept = [.. draws.AsSpan(first, shape[2]).ToArray().Select(u => keep + u >= 1)];
            return Tensor.From<bool>(Device, kept, new Shape(kept.Length));
        };
    }
}
