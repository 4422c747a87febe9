using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Models;

/// <summary>Loss or gradient was NaN or infinite.</summary>
public sealed class NonFiniteException(string message) : Exception(message);

/// <summary>What one update did.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Loss">Summed loss divided by the masked positions.</param>
/// <param name="LearningRate">Rate used.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="EmaDecay">Used for the teacher.</param>
/// <param name="Positions">Positions with data that the student read: tokens, frames, patches.</param>
/// <param name="Skipped">The update was skipped because something was not finite.</param>
/// <param name="Collapse">Collapse numbers of the last micro-batch, when asked for.</param>
public sealed record UpdateReport(
    int Step, double Loss, double LearningRate, double GradientNorm, double EmaDecay, long Positions, bool Skipped,
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

    /// <summary>Updates that ran or are queued.</summary>
    int Step { get; set; }

    /// <summary>True when <see cref="Reports"/> is due: the device never makes the host wait, or no further update fits.</summary>
    bool MustReport { get; }

    /// <summary>
    /// Queues one update: gradients of all micro-batches, norm and clipping, Adam, moving average. Waits for nothing unless
    /// <paramref name="monitor"/> is set.
    /// </summary>
    /// <param name="monitor">Compute the collapse numbers too.</param>
    /// <exception cref="InvalidOperationException">So many updates are queued that <see cref="Reports"/> must be called.</exception>
    void Update(bool monitor);

    /// <summary>What the updates since the last call did, oldest first; waits until they have run.</summary>
    /// <exception cref="NonFiniteException">Something is not finite and the policy is to stop.</exception>
    IReadOnlyList<UpdateReport> Reports();
}

/// <summary>Model, optimiser state and data of a run.</summary>
/// <typeparam name="TBatch">A micro-batch of the modality.</typeparam>
public sealed class TrainingSession<TBatch> : ITrainingSession
{
    private const int MostQueued = 64, ReplayedRowMultiple = 128;

    private readonly PretrainConfig config;
    private readonly IPretrainable<TBatch> model;
    private readonly IBatchSource<TBatch> batches;
    private readonly ISchedule rates;
    private readonly EmaSchedule ema;
    private readonly ObjectiveConfig objective;
    private readonly StepState state;
    private readonly StepHistory history;
    private readonly Queue<(long Positions, CollapseReport? Collapse)> queued = new();

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
        history = new StepHistory(model.Store.Device, MostQueued, config.MicroBatches, model.Store.DType);
        rates = config.Rates();
        ema = config.Ema();
        // Steps of a length are replayed, and how many positions are masked differs a little from batch to batch.
        objective = config.Objective() with
        {
            RowMultiple = model.Store.Device.Backend is IReplayingBackend ? ReplayedRowMultiple : 1,
        };
    }

    /// <inheritdoc/>
    public ParameterStore Store => model.Store;

    /// <inheritdoc/>
    public int Step { get; set; }

    /// <inheritdoc/>
    public bool MustReport => !Store.Device.Backend.Queues || history.Count == history.Capacity;

    /// <inheritdoc/>
    public void Update(bool monitor)
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
        CollapseReport? collapse;
        using (new StepScope(Store.Device)) collapse = Run(micros, monitor);
        history.Record(state);
        queued.Enqueue((micros.Sum(b => (long)model.DataRows(b).Length), collapse));
        Step++;
    }

    /// <inheritdoc/>
    public IReadOnlyList<UpdateReport> Reports()
    {
        var reports = new List<UpdateReport>();
        foreach (var (values, losses) in history.Read())
        {
            var (positions, collapse) = queued.Dequeue();
            var loss = losses.Sum() / values.GradientDivisor;
            var bad = values.NonFinite != 0 || !double.IsFinite(loss);
            if (bad && (config.OnNonfinite == NonFinitePolicy.Stop || values.NonFinite == 0))
                throw new NonFiniteException(Describe((int)values.Step, loss));
            reports.Add(new UpdateReport((int)values.Step + 1, loss, values.LearningRate, values.GradientNorm, values.EmaDecay,
                positions, bad, collapse));
        }
        return reports;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        (batches as IDisposable)?.Dispose();
        history.Dispose();
        state.Dispose();
        Store.Dispose();
    }

    /// <summary>Queues what an update computes.</summary>
    private CollapseReport? Run(TBatch[] micros, bool monitor)
    {
        CollapseReport? collapse = null;
        Store.ClearGradients();
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
            history.Record(m, result.Loss);
            tape.Backward(result.Loss);
            if (watched) collapse = CollapseMonitor.Look(result, model.DataRows(micros[m]));
        }
        Store.ComputeGradientNorm(state);
        Store.UpdateWithTeacher(config.Adam(), state);
        return collapse;
    }

    /// <summary>Which tensor is not finite, of which step and examples.</summary>
    private string Describe(int step, double loss)
    {
        var first = (long)step * config.MicroBatches * config.BatchSize;
        var last = first + (long)config.MicroBatches * config.BatchSize - 1;
        // Behind later updates the gradients are no longer those of this one.
        var what = (step + 1 == Step ? FirstNonFinite() : null)
            ?? (double.IsFinite(loss) ? "the norm of the gradient" : "the loss");
        return $"At step {step + 1} {what} is not finite, and the loss is {loss:G6} "
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
