using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Models;

/// <summary>Loss or gradient was NaN or infinite.</summary>
public sealed class NonFiniteException(string message) : Exception(message);

/// <summary>What one update did.</summary>
/// <param name="Loss">Summed loss divided by the masked positions.</param>
/// <param name="LearningRate">Rate used.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="EmaDecay">Used for the teacher.</param>
/// <param name="Positions">Positions with data that the student read: tokens, frames, patches.</param>
/// <param name="Skipped">The update was skipped because something was not finite.</param>
/// <param name="Collapse">Collapse numbers of the last micro-batch, when asked for.</param>
public sealed record UpdateReport(
    double Loss, double LearningRate, double GradientNorm, double EmaDecay, long Positions, bool Skipped,
    CollapseReport? Collapse);

/// <summary>
/// Batches of a run. Which examples a step sees and how they are masked is a function of seed and step alone, so a resumed
/// run continues as if it had never stopped.
/// </summary>
/// <typeparam name="TBatch">A micro-batch on the host.</typeparam>
public interface IBatchSource<TBatch>
{
    /// <summary>The batch of one step and micro-batch.</summary>
    TBatch Get(uint step, int microBatch, int microBatches);
}

/// <summary>A model in training, whatever its modality.</summary>
public interface ITrainingSession : IDisposable
{
    /// <summary>Values, moments, teacher.</summary>
    ParameterStore Store { get; }

    /// <summary>Finished updates.</summary>
    int Step { get; set; }

    /// <summary>One update: gradients of all micro-batches, norm and clipping, Adam, moving average.</summary>
    /// <param name="monitor">Compute the collapse numbers too.</param>
    /// <exception cref="NonFiniteException">Something is not finite and the policy is to stop.</exception>
    UpdateReport Update(bool monitor);
}

/// <summary>Model, optimiser state and data of a run.</summary>
/// <typeparam name="TBatch">A micro-batch of the modality.</typeparam>
public sealed class TrainingSession<TBatch> : ITrainingSession
{
    private readonly PretrainConfig config;
    private readonly IPretrainable<TBatch> model;
    private readonly IBatchSource<TBatch> batches;
    private readonly ISchedule rates;
    private readonly EmaSchedule ema;
    private readonly ObjectiveConfig objective;
    private readonly StepState state;

    /// <summary>Gives a declared model its first values and stands ready for the first update.</summary>
    /// <param name="config">Settings.</param>
    /// <param name="model">Declared, not built; its store is owned by the session from now on.</param>
    /// <param name="batches">The data; disposed with the session when it can be.</param>
    public TrainingSession(PretrainConfig config, IPretrainable<TBatch> model, IBatchSource<TBatch> batches)
    {
        this.config = config;
        this.model = model;
        this.batches = batches;
        model.Store.Build(config.Seed, config.WeightDecay, decayVectors: config.DecayVectors);
        state = new StepState(model.Store.Device);
        rates = config.Rates();
        ema = config.Ema();
        objective = config.Objective();
    }

    /// <inheritdoc/>
    public ParameterStore Store => model.Store;

    /// <inheritdoc/>
    public int Step { get; set; }

    /// <inheritdoc/>
    public UpdateReport Update(bool monitor)
    {
        var micros = Enumerable.Range(0, config.MicroBatches)
            .Select(m => batches.Get((uint)Step, m, config.MicroBatches)).ToArray();
        state.Values = new StepValues
        {
            Seed = config.Seed,
            Step = (uint)Step,
            LearningRate = rates.Rate(Step),
            WeightDecayScale = 1,
            EmaDecay = ema.Decay(Step + 1),
            GradientDivisor = micros.Sum(b => model.LossRows(b).Length),
            MaxGradientNorm = config.ClipNorm,
        };
        Store.ClearGradients();
        double loss = 0;
        CollapseReport? collapse = null;
        for (var m = 0; m < micros.Length; m++)
        {
            state.Values.MicroBatch = (uint)m;
            state.Upload();
            var watched = monitor && m == micros.Length - 1;
            using var scope = Store.Device.Scope();
            using var tape = new Tape(Store.Device);
            using var student = Store.Student(tape, config.Precision.Type());
            var result = Objective.Run(
                model, micros[m], student, objective, new ForwardMode(state, Recompute: config.Recompute), watched);
            loss += result.Loss.Item();
            tape.Backward(result.Loss);
            if (watched) collapse = CollapseMonitor.Look(result, model.DataRows(micros[m]));
        }
        loss /= state.Values.GradientDivisor;
        Store.ComputeGradientNorm(state);
        Store.UpdateWithTeacher(config.Adam(), state);
        state.Download();
        var bad = state.Values.NonFinite != 0 || !double.IsFinite(loss);
        if (bad && (config.OnNonfinite == NonFinitePolicy.Stop || state.Values.NonFinite == 0))
            throw new NonFiniteException(Describe(loss));
        Step++;
        return new UpdateReport(loss, state.Values.LearningRate, state.Values.GradientNorm, state.Values.EmaDecay,
            micros.Sum(b => (long)model.DataRows(b).Length), bad, collapse);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        (batches as IDisposable)?.Dispose();
        state.Dispose();
        Store.Dispose();
    }

    /// <summary>Which tensor is not finite, of which step and examples.</summary>
    private string Describe(double loss)
    {
        var first = (long)Step * config.MicroBatches * config.BatchSize;
        var last = first + (long)config.MicroBatches * config.BatchSize - 1;
        var what = FirstNonFinite() ?? (double.IsFinite(loss) ? "the norm of the gradient" : "the loss");
        return $"At step {Step + 1} {what} is not finite, and the loss is {loss:G6} "
            + $"(examples {first} to {last} of the data order of seed {config.Seed}); "
            + "lower learning_rate, lengthen warmup_steps, or set on_nonfinite=skip.";
    }

    private string? FirstNonFinite()
    {
        var parts = new[]
        {
            (ParameterPart.Student, "the parameter"), (ParameterPart.Teacher, "the teacher's parameter"),
            (ParameterPart.Gradient, "the gradient of"),
        };
        foreach (var (part, name) in parts)
        {
            for (var i = 0; i < Store.Parameters.Count; i++)
            {
                if (part == ParameterPart.Gradient && !Store.HasGradient(i)) continue;
                if (Store.Read(part, i).Any(x => !double.IsFinite(x))) return $"{name} {Store.Parameters[i].Name}";
            }
        }
        return null;
    }
}
