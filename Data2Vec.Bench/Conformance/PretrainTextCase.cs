using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>One recorded run of some updates.</summary>
internal sealed class PretrainTextCase : IDisposable
{
    private readonly JsonElement item, names;
    private readonly SafetensorsFile file;
    private readonly Device device;
    private readonly DType type;
    private readonly TextPretrainModel model;
    private readonly PublishedParameters parameters;
    private readonly ObjectiveConfig objective;
    private readonly StepState step;
    private readonly List<Difference> differences = [];
    private readonly HashSet<string> withoutGradient = [];
    private double ratesSoFar;

    public PretrainTextCase(JsonElement item, JsonElement names, SafetensorsFile file, Device device, DType type)
    {
        (this.item, this.names, this.file, this.device, this.type) = (item, names, file, device, type);
        var m = item.GetProperty("model");
        int Size(string name) => m.GetProperty(name).GetInt32();
        bool Flag(string name) => m.TryGetProperty(name, out var flag) && flag.GetBoolean();
        var padding = item.GetProperty("pad").GetInt32();
        var config = new TextEncoderConfig(
            new TransformerConfig(Size("layers"), Size("embed_dim"), Size("attention_heads"), Size("ffn_embed_dim")),
            item.GetProperty("vocabulary").GetInt32(), Size("max_positions") + padding + 1, PaddingId: padding);
        model = new TextPretrainModel(new ParameterStore(device, type), config, Size("head_layers"),
            averageEverything: !Flag("ema_transformer_layers_only"));
        model.Store.Build(1, item.GetProperty("optimizer").GetProperty("weight_decay").GetDouble());
        parameters = RegressionNames.Of(model.Store, PublishedText.Map(config));
        objective = new ObjectiveConfig(
            new TargetRecipe(Size("average_top_k_layers"), Flag("batch_norm_target_layer"),
                Flag("instance_norm_target_layer"), Flag("layer_norm_target_layer"), Flag("layer_norm_targets"),
                Flag("instance_norm_targets")),
            m.GetProperty("loss_beta").GetDouble(), m.GetProperty("loss_scale").GetDouble());
        step = new StepState(device);
    }

    public List<Difference> Compare()
    {
        LoadWeights();
        var optimizer = item.GetProperty("optimizer");
        var betas = optimizer.GetProperty("adam_betas");
        var adam = new AdamOptions(betas[0].GetDouble(), betas[1].GetDouble(),
            optimizer.GetProperty("adam_eps").GetDouble(), AdamVariant.Fairseq);
        var schedule = optimizer.GetProperty("schedule");
        var rates = RecordedSchedules.Rate(schedule.GetProperty("name").GetString()!,
            optimizer.GetProperty("lr")[0].GetDouble(), schedule,
            schedule.TryGetProperty("max_update", out var last) ? last.GetInt64() : 0);
        var m = item.GetProperty("model");
        var ramp = new EmaSchedule(m.GetProperty("ema_decay").GetDouble(), m.GetProperty("ema_end_decay").GetDouble(),
            m.GetProperty("ema_anneal_end_step").GetInt64());
        step.Values.MaxGradientNorm = optimizer.GetProperty("clip_norm").GetDouble();
        for (var u = 0; u < item.GetProperty("updates").GetInt32(); u++)
        {
            var expected = item.GetProperty("expected").GetProperty("f64")[u];
            var n = item.GetProperty("start_update").GetInt64() + u;
            step.Values.LearningRate = rates.Rate(n);
            step.Values.EmaDecay = ramp.Decay(n + 1);
            Number($"{u}/lr", step.Values.LearningRate, expected.GetProperty("lr"), new(Tolerance.Double));
            Number($"{u}/ema_decay_after", step.Values.EmaDecay, expected.GetProperty("ema_decay_after"),
                new(Tolerance.Double));
            Update(u, expected, adam);
        }
        return differences;
    }

    public void Dispose()
    {
        step.Dispose();
        model.Dispose();
    }

    private void LoadWeights()
    {
        foreach (var (published, recorded) in Recorded("init/student/"))
        {
            parameters.Write(ParameterPart.Student, published, file.ReadDoubles(recorded));
            if (parameters.HasTeacherValue(published))
                parameters.Write(ParameterPart.Teacher, published, file.ReadDoubles(recorded));
        }
        foreach (var (published, recorded) in Recorded("init/teacher/"))
        {
            var values = file.ReadDoubles(recorded);
            if (parameters.HasTeacherValue(published)) parameters.Write(ParameterPart.Teacher, published, values);
            else if (!values.SequenceEqual(parameters.Read(ParameterPart.Student, published)))
                throw new NotExpressibleException($"the teacher's own {published} is shared with the student here");
        }
    }

    private void Update(int u, JsonElement expected, AdamOptions adam)
    {
        model.Store.ClearGradients();
        long rows = 0;
        for (var micro = 0; micro < item.GetProperty("micro_batches").GetInt32(); micro++)
            rows += MicroBatch(u, micro, expected.GetProperty("micro")[micro]);
        Number($"{u}/sample_size", rows, expected.GetProperty("sample_size"), Tolerance.Exact);
        step.Values.GradientDivisor = rows;
        step.Upload();
        model.Store.ComputeGradientNorm(step);
        step.Download();
        Number($"{u}/grad_norm", step.Values.GradientNorm, expected.GetProperty("grad_norm"),
            u == 0 ? Of(u, "grad") : Of(u, "prediction"));
        if (u == 0) Gradients(rows);
        model.Store.Update(adam, step);
        model.Store.UpdateTeacher(step);
        ratesSoFar += step.Values.LearningRate;
        foreach (var (published, recorded) in Recorded($"f64/{u}/student/"))
            Add(recorded, parameters.Read(ParameterPart.Student, published), OfParameter(published, "student"));
        foreach (var (published, recorded) in Recorded($"f64/{u}/teacher/"))
            Add(recorded, parameters.Read(ParameterPart.Teacher, published), OfParameter(published, "teacher"));
    }

    /// <summary>
    /// Adam makes steps of about the learning rate out of any gradient, also of rounding noise where the gradient is 0
    /// by theory: such a parameter may differ by twice the rates so far in float32. In float64 the noise stays below
    /// eps.
    /// </summary>
    private Tolerance OfParameter(string published, string quantity)
    {
        var tolerance = Of(1, quantity);
        return type != DType.Float64 && withoutGradient.Contains(published)
            ? new(Math.Max(tolerance.Relative, 2 * ratesSoFar), Floor: 1)
            : tolerance;
    }

    private int MicroBatch(int u, int micro, JsonElement expected)
    {
        var input = $"input/{micro}/";
        var shape = file[input + "source_ids"].ToShape();
        TextBatch Ids(string name) => new(shape[0], shape[1], file.Read<int>(input + name));
        var batch = new TextPretrainBatch(
            Ids("source_ids"), Ids("teacher_ids"), file.Read<bool>(input + "loss_positions"));
        using var scope = device.Scope();
        using var tape = new Tape(device);
        using var student = model.Store.Student(tape);
        var result = Objective.Run(model, batch, student, objective, new ForwardMode(Collect: true));
        var prefix = $"f64/{u}/{micro}/";
        Add(prefix + "prediction", result.Prediction, Of(u, "prediction"));
        Add(prefix + "target", result.Target, Of(u, "target"));
        var perRow = Ops.SmoothL1(
            result.Prediction.Detach(), result.Target, beta: objective.Beta, reduction: Reduction.PerRow);
        Add(prefix + "loss_rows", perRow, Of(u, "loss_rows"));
        if (u == 0) Stages(prefix, result);
        Number(prefix + "loss", result.Loss.Item(), expected.GetProperty("loss"), Of(u, "loss_rows"));
        Number(prefix + "rows", result.Rows, expected.GetProperty("sample_size"), Tolerance.Exact);
        tape.Backward(result.Loss);
        return result.Rows;
    }

    /// <summary>What is recorded on the way, in the first update.</summary>
    private void Stages(string prefix, ObjectiveResult result)
    {
        Add(prefix + "embeddings", result.Student.Hidden[0], Of(0, "prediction"));
        Add(prefix + "encoder_output", result.Student.Last, Of(0, "prediction"));
        Add(prefix + "teacher_embeddings", result.Teacher!.Hidden[0], Of(0, "target"));
        Add(prefix + "loss_elements", Ops.SmoothL1(result.Prediction.Detach(), result.Target, beta: objective.Beta,
            reduction: Reduction.None), Of(0, "loss_rows"));
        for (var l = 0; l < result.Teacher!.Taps.Count; l++)
        {
            Add($"{prefix}tap/{l}", result.Teacher!.Taps[l], Of(0, "target"));
            var normalised = TargetBuilder.Normalise(result.Teacher!.Taps[l], objective.Recipe);
            Add($"{prefix}target_layer/{l}", normalised, Of(0, "target"));
        }
    }

    /// <summary>Key biases have the gradient 0: they are compared by the largest gradient of all.</summary>
    private void Gradients(long rows)
    {
        var recorded = Recorded("f64/0/grad/").ToList();
        var largest = recorded.Max(r => Comparison.Largest(file.ReadDoubles(r.Recorded)));
        foreach (var (published, name) in recorded)
        {
            if (Tolerance.IsZero(file.ReadDoubles(name), largest)) withoutGradient.Add(published);
            var values = Array.ConvertAll(parameters.Read(ParameterPart.Gradient, published), g => g / rows);
            Add(name, values, Of(0, "grad").ForGradient(file.ReadDoubles(name), largest, type));
        }
    }

    /// <summary>float32 is measured by the published float32 run: before the first update, and after it.</summary>
    private Tolerance Of(int update, string quantity)
    {
        if (type == DType.Float64) return new(Tolerance.Double);
        var measured = item.GetProperty("f32_against_f64").GetProperty(update == 0 ? "first" : "later");
        return new(Math.Max(Tolerance.Single, Tolerance.Factor * measured.GetProperty(quantity).GetDouble()));
    }

    /// <summary>The tensors of a folder in the file, with the published name of each parameter.</summary>
    private IEnumerable<(string Published, string Recorded)> Recorded(string prefix) =>
        from entry in file.Entries
        where entry.Name.StartsWith(prefix, StringComparison.Ordinal)
        select (names.GetProperty(entry.Name[prefix.Length..]).GetString()!, entry.Name);

    private void Add(string name, Tensor got, Tolerance tolerance)
    {
        if (file.Contains(name)) Add(name, got.ToDoubles(), tolerance);
    }

    private void Add(string name, double[] got, Tolerance tolerance) =>
        differences.Add(Comparison.Compare(name, got, file.ReadDoubles(name), tolerance));

    private void Number(string name, double got, JsonElement expected, Tolerance tolerance) =>
        differences.Add(Comparison.Compare(name, got, expected.GetDouble(), tolerance));
}
