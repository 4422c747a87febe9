using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Data;
using Data2Vec.Models.Text;

namespace Data2Vec.Models;

/// <summary>What one update did.</summary>
/// <param name="Loss">Summed loss divided by the masked positions.</param>
/// <param name="LearningRate">Rate used.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="EmaDecay">Used for the teacher.</param>
/// <param name="Tokens">Real tokens read by the student.</param>
/// <param name="Skipped">The update was skipped because something was not finite.</param>
/// <param name="Collapse">Collapse numbers of the last micro-batch, when asked for.</param>
public sealed record UpdateReport(
    double Loss, double LearningRate, double GradientNorm, double EmaDecay, long Tokens, bool Skipped,
    CollapseReport? Collapse);

/// <summary>Model, optimiser state and data of a text run; <see cref="Update"/> does one step.</summary>
public sealed class TextTrainingSession : IDisposable
{
    private readonly TextBatches batches;
    private readonly ISchedule rates;
    private readonly EmaSchedule ema;
    private readonly ObjectiveConfig objective;
    private readonly StepState state;
    private ParameterView? evaluation;

    /// <summary>A fresh model on a device.</summary>
    public TextTrainingSession(
        TextPretrainConfig config, Device device, ByteLevelBpe tokenizer, IReadOnlyList<TokenizedDocument> documents)
    {
        Config = config;
        Tokenizer = tokenizer;
        Model = new TextPretrainModel(
            new ParameterStore(device), config.Encoder(tokenizer.Count, tokenizer.PadId), config.HeadLayers,
            config.EmaEverything);
        Model.Store.Build(config.Seed, config.WeightDecay);
        state = new StepState(device);
        batches = new TextBatches(
            documents, config.BatchSize, tokenizer.PadId, tokenizer.MaskId, tokenizer.Count, config.Mask(), config.Seed);
        rates = config.Rates();
        ema = config.Ema();
        objective = config.Objective();
    }

    /// <summary>The configuration.</summary>
    public TextPretrainConfig Config { get; }

    /// <summary>The tokenizer.</summary>
    public ByteLevelBpe Tokenizer { get; }

    /// <summary>The model.</summary>
    public TextPretrainModel Model { get; }

    /// <summary>Finished updates.</summary>
    public int Step { get; set; }

    /// <summary>The student's parameters, untracked; owned by the session.</summary>
    public ParameterView Evaluation() => evaluation ??= Model.Store.Student();

    /// <summary>One update: gradients of all micro-batches, norm and clipping, Adam, moving average.</summary>
    /// <param name="monitor">Compute the collapse numbers too.</param>
    /// <exception cref="NonFiniteException">Something is not finite and the policy is to stop.</exception>
    public UpdateReport Update(bool monitor)
    {
        var store = Model.Store;
        var micros = Enumerable.Range(0, Config.MicroBatches)
            .Select(m => batches.Get((uint)Step, m, Config.MicroBatches)).ToArray();
        state.Values = new StepValues
        {
            Seed = Config.Seed,
            Step = (uint)Step,
            LearningRate = rates.Rate(Step),
            WeightDecayScale = 1,
            EmaDecay = ema.Decay(Step + 1),
            GradientDivisor = micros.Sum(b => b.LossPositions.Count(p => p)),
            MaxGradientNorm = Config.ClipNorm,
        };
        store.ClearGradients();
        double loss = 0;
        CollapseReport? collapse = null;
        for (var m = 0; m < micros.Length; m++)
        {
            state.Values.MicroBatch = (uint)m;
            state.Upload();
            using var scope = store.Device.Scope();
            using var tape = new Tape(store.Device);
            using var student = store.Student(tape);
            var result = Objective.Run(
                Model, micros[m], student, objective, new ForwardMode(state, Recompute: Config.Recompute));
            loss += result.Loss.Item();
            tape.Backward(result.Loss);
            if (monitor && m == micros.Length - 1) collapse = Monitor(result, micros[m].Clean);
        }
        loss /= state.Values.GradientDivisor;
        store.ComputeGradientNorm(state);
        store.Update(Config.Adam(), state);
        store.UpdateTeacher(state);
        state.Download();
        var bad = state.Values.NonFinite != 0 || !double.IsFinite(loss);
        if (bad && (Config.OnNonfinite == NonFinitePolicy.Stop || state.Values.NonFinite == 0))
            throw new NonFiniteException(Describe(loss));
        var tokens = micros.Sum(b => (long)b.Clean.Ids.Count(id => id != Tokenizer.PadId));
        Step++;
        return new UpdateReport(
            loss, state.Values.LearningRate, state.Values.GradientNorm, state.Values.EmaDecay, tokens, bad, collapse);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        evaluation?.Dispose();
        state.Dispose();
        Model.Dispose();
    }

    private static CollapseReport Monitor(ObjectiveResult result, TextBatch clean)
    {
        var width = result.Target.Shape[1];
        var all = result.AllTargets.ToArray<float>();
        var rows = new List<int>();
        for (var i = 0; i < clean.Ids.Length; i++)
            if (clean.Ids[i] != 1) rows.Add(i);
        var real = new float[rows.Count * width];
        var positions = new int[rows.Count];
        for (var r = 0; r < rows.Count; r++)
        {
            all.AsSpan(rows[r] * width, width).CopyTo(real.AsSpan(r * width));
            positions[r] = rows[r] % clean.Time;
        }
        return new CollapseReport(
            CollapseMonitor.Deviation(result.Target.ToArray<float>(), width),
            CollapseMonitor.Deviation(result.Prediction.ToArray<float>(), width),
            CollapseMonitor.PositionR2(real, positions, width),
            CollapseMonitor.EffectiveRank(real, width));
    }

    /// <summary>Which tensor is not finite, of which step and documents.</summary>
    private string Describe(double loss)
    {
        var store = Model.Store;
        string? tensor = null;
        foreach (var (part, name) in new[] { (ParameterPart.Student, "the parameter"), (ParameterPart.Gradient, "the gradient of") })
        {
            for (var i = 0; tensor is null && i < store.Parameters.Count; i++)
            {
                if (part == ParameterPart.Gradient && !store.HasGradient(i)) continue;
                if (store.Read(part, i).Any(x => !double.IsFinite(x))) tensor = $"{name} {store.Parameters[i].Name}";
            }
        }
        var first = (long)Step * Config.MicroBatches * Config.BatchSize;
        var last = first + (long)Config.MicroBatches * Config.BatchSize - 1;
        return $"At step {Step} the loss is {loss:G6} and {tensor ?? "no single tensor"} is not finite "
            + $"(documents {first} to {last} of the data order of seed {Config.Seed}); "
            + "lower learning_rate, lengthen warmup_steps, or set on_nonfinite=skip.";
    }
}
