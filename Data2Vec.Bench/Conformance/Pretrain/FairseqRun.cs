using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Some updates of fairseq's trainer: gradients of micro-batches summed and divided by the sample size, clipping, Adam,
/// the teacher's average. A modality brings its model, its batches and the tensors recorded on the way.
/// </summary>
/// <typeparam name="TBatch">Batches of the modality.</typeparam>
internal abstract class FairseqRun<TBatch>(JsonElement item, SafetensorsFile file, Device device, DType type)
    : RecordedRun(device, type)
{
    protected JsonElement Item => item;

    protected SafetensorsFile File => file;

    /// <summary>The model, built.</summary>
    protected abstract IPretrainable<TBatch> Model { get; }

    /// <summary>Its parameters.</summary>
    protected abstract PublishedParameters Parameters { get; }

    /// <summary>Targets and loss.</summary>
    protected abstract ObjectiveConfig Objective { get; }

    /// <summary>The recorded field with the channels D.</summary>
    protected abstract string WidthField { get; }

    /// <summary>The name under which <see cref="Parameters"/> knows a recorded parameter.</summary>
    protected abstract string NameOf(string recorded);

    /// <summary>The batch recorded under a prefix.</summary>
    protected abstract TBatch Batch(string prefix);

    /// <summary>Compares what is recorded on the way of the modality, in the first update.</summary>
    protected abstract void FrontStages(string prefix, TBatch batch, ObjectiveResult result);

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
        // What the published code logs before its first average.
        var previous = ramp.Start;
        Step.Values.MaxGradientNorm = optimizer.GetProperty("clip_norm").GetDouble();
        for (var u = 0; u < item.GetProperty("updates").GetInt32(); u++)
        {
            var expected = item.GetProperty("expected").GetProperty("f64")[u];
            var n = item.GetProperty("start_update").GetInt64() + u;
            Step.Values.LearningRate = rates.Rate(n);
            Step.Values.EmaDecay = ramp.Decay(n + 1);
            Number($"{u}/lr", Step.Values.LearningRate, expected.GetProperty("lr"), new(Tolerance.Double));
            Number($"{u}/ema_decay_after", Step.Values.EmaDecay, expected.GetProperty("ema_decay_after"),
                new(Tolerance.Double));
            var micro = expected.GetProperty("micro")[0];
            if (micro.TryGetProperty("ema_decay_x1000", out var logged))
                Number($"{u}/ema_decay_x1000", 1000 * previous, logged, new(Tolerance.Double));
            if (micro.TryGetProperty("scale", out var scale))
            {
                var width = m.GetProperty(WidthField).GetInt32();
                Number($"{u}/scale", Objective.ScaleOf(width), scale, new(Tolerance.Double));
            }
            Update(u, expected, adam);
            previous = Step.Values.EmaDecay;
        }
        Whole(file, "f64/");
        return Differences;
    }

    private void LoadWeights()
    {
        foreach (var (published, recorded) in Recorded("init/student/"))
        {
            Parameters.Write(ParameterPart.Student, published, file.ReadDoubles(recorded));
            if (Parameters.HasTeacherValue(published))
                Parameters.Write(ParameterPart.Teacher, published, file.ReadDoubles(recorded));
        }
        foreach (var (published, recorded) in Recorded("init/teacher/"))
        {
            var values = file.ReadDoubles(recorded);
            if (Parameters.HasTeacherValue(published)) Parameters.Write(ParameterPart.Teacher, published, values);
            else if (!values.SequenceEqual(Parameters.Read(ParameterPart.Student, published)))
                throw new NotExpressibleException($"the teacher's own {published} is shared with the student here");
        }
    }

    private void Update(int u, JsonElement expected, AdamOptions adam)
    {
        Model.Store.ClearGradients();
        long rows = 0;
        for (var micro = 0; micro < item.GetProperty("micro_batches").GetInt32(); micro++)
            rows += MicroBatch(u, micro, expected.GetProperty("micro")[micro]);
        Number($"{u}/sample_size", rows, expected.GetProperty("sample_size"), Tolerance.Exact);
        Step.Values.GradientDivisor = rows;
        Step.Upload();
        Model.Store.ComputeGradientNorm(Step);
        Step.Download();
        Number($"{u}/grad_norm", Step.Values.GradientNorm, expected.GetProperty("grad_norm"),
            u == 0 ? Of(u, "grad") : Of(u, "prediction"));
        if (u == 0) Gradients(file, Parameters, Recorded("f64/0/grad/"), rows, Of(0, "grad"));
        Move(Model.Store, adam);
        foreach (var part in new[] { ParameterPart.Student, ParameterPart.Teacher })
        {
            var name = part == ParameterPart.Student ? "student" : "teacher";
            foreach (var (published, recorded) in Recorded($"f64/{u}/{name}/"))
                Add(file, recorded, Parameters.Read(part, published), OfParameter(published, Of(1, name)));
        }
    }

    private int MicroBatch(int u, int micro, JsonElement expected)
    {
        var batch = Batch($"input/{micro}/");
        using var scope = Device.Scope();
        using var tape = new Tape(Device);
        using var student = Model.Store.Student(tape);
        var result = Models.Objective.Run(Model, batch, student, Objective, new ForwardMode(Collect: true));
        var prefix = $"f64/{u}/{micro}/";
        Add(file, prefix + "prediction", result.Prediction, Of(u, "prediction"));
        Add(file, prefix + "target", result.Target, Of(u, "target"));
        var perRow = Ops.SmoothL1(
            result.Prediction.Detach(), result.Target, beta: Objective.Beta, reduction: Reduction.PerRow);
        Add(file, prefix + "loss_rows", perRow, Of(u, "loss_rows"));
        if (u == 0) Stages(prefix, batch, result);
        Number(prefix + "loss", result.Loss.Item(), expected.GetProperty("loss"), Of(u, "loss_rows"));
        Number(prefix + "rows", result.Rows, expected.GetProperty("sample_size"), Tolerance.Exact);
        Deviation(prefix + "target_var", result.Target, expected, Of(u, "target"));
        Deviation(prefix + "pred_var", result.Prediction, expected, Of(u, "prediction"));
        tape.Backward(result.Loss);
        return result.Rows;
    }

    /// <summary>What is recorded on the way, in the first update.</summary>
    private void Stages(string prefix, TBatch batch, ObjectiveResult result)
    {
        FrontStages(prefix, batch, result);
        Add(file, prefix + "encoder_output", result.Student.Last, Of(0, "prediction"));
        Add(file, prefix + "loss_elements", Ops.SmoothL1(result.Prediction.Detach(), result.Target,
            beta: Objective.Beta, reduction: Reduction.None), Of(0, "loss_rows"));
        for (var l = 0; l < result.Teacher!.Taps.Count; l++)
        {
            Add(file, $"{prefix}tap/{l}", result.Teacher.Taps[l], Of(0, "target"));
            var normalised = TargetBuilder.Normalise(result.Teacher.Taps[l], Objective.Recipe);
            Add(file, $"{prefix}target_layer/{l}", normalised, Of(0, "target"));
        }
    }

    private void Deviation(string name, Tensor rows, JsonElement expected, Tolerance tolerance)
    {
        if (!expected.TryGetProperty(Path.GetFileName(name), out var value)) return;
        Number(name, CollapseMonitor.Deviation<double>(rows.ToDoubles(), rows.Shape[1]), value, tolerance);
    }

    /// <summary>float32 is measured by the published float32 run: before the first update, and after it.</summary>
    protected Tolerance Of(int update, string quantity) => Of(item.GetProperty("f32_against_f64")
        .GetProperty(update == 0 ? "first" : "later").GetProperty(quantity).GetDouble());

    /// <summary>The tensors of a folder in the file, with the name of each parameter.</summary>
    private IEnumerable<(string Published, string Recorded)> Recorded(string prefix) =>
        from entry in file.Entries
        where entry.Name.StartsWith(prefix, StringComparison.Ordinal)
        select (NameOf(entry.Name[prefix.Length..]), entry.Name);
}
