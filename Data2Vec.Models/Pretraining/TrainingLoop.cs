using System.Diagnostics;
using System.Text;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Models;

/// <summary>Steps, log lines, warnings and checkpoints of a run, until its end or a request to stop.</summary>
internal sealed class TrainingLoop(
    PretrainConfig config, PretrainTask task, ITrainingSession session, RunFolder folder, IPretrainObserver observer)
{
    private readonly HashSet<string> unhealthy = [];
    private readonly Stopwatch clock = new();
    private readonly int firstStep = session.Step;
    private int saved = folder.Start is null ? -1 : session.Step;
    private long positions, windowPositions;
    private TimeSpan windowStart;

    /// <summary>Over all updates of this process.</summary>
    public double PositionsPerSecond { get; private set; }

    /// <summary>
    /// Time of this process' first update, in which pools are filled and kernels loaded that were not warmed.
    /// </summary>
    public double? FirstUpdateSeconds { get; private set; }

    /// <summary>
    /// What was loaded before the updates; null for devices that compile nothing, and without updates.
    /// </summary>
    public Warming? Warming { get; private set; }

    /// <summary>Trains; false when a stop was requested (a checkpoint is written then).</summary>
    public bool Run(CancellationToken stop)
    {
        if (session.Step < config.Steps) Warming = Warming.Of(session.Store.Device.Backend, config, observer);
        clock.Start();
        while (session.Step < config.Steps)
        {
            if (stop.IsCancellationRequested)
            {
                Save();
                return false;
            }
            var next = session.Step + 1;
            var log = IsLogged(next);
            session.Update(log);
            if (log || session.MustReport || FirstUpdateSeconds is null) TakeReports();
            if (config.SaveEvery > 0 && next % config.SaveEvery == 0) Save();
        }
        PositionsPerSecond = positions / Math.Max(1e-9, clock.Elapsed.TotalSeconds);
        Save();
        return true;
    }

    /// <summary>Waits for the updates that are queued and writes down what is to be told of them.</summary>
    private void TakeReports()
    {
        foreach (var update in session.Reports())
        {
            if (FirstUpdateSeconds is null)
            {
                FirstUpdateSeconds = clock.Elapsed.TotalSeconds;
                Warming?.FirstUpdateIsOver();
            }
            positions += update.Positions;
            windowPositions += update.Positions;
            if (update.Skipped) observer.Warned($"step {update.Step}: gradient not finite, the update was skipped");
            // A skipped update is in the log whatever its step.
            if (!update.Skipped && !IsLogged(update.Step)) continue;
            var elapsed = clock.Elapsed;
            var rate = windowPositions / Math.Max(1e-9, (elapsed - windowStart).TotalSeconds);
            var eta = elapsed.TotalSeconds / (update.Step - firstStep) * (config.Steps - update.Step);
            Report(update, update.Step, rate, elapsed.TotalSeconds, eta);
            (windowStart, windowPositions) = (elapsed, 0);
        }
    }

    private bool IsLogged(int step) => step % config.LogEvery == 0 || step == config.Steps || step == 1;

    private void Report(UpdateReport update, int step, double rate, double seconds, double eta)
    {
        var collapse = update.Collapse ?? CollapseReport.Unknown;
        var line = new StepReport(step, config.Steps, update.Loss, update.LearningRate, update.GradientNorm,
            collapse.TargetDeviation, collapse.PredictionDeviation, collapse.PositionR2, collapse.EffectiveRank,
            update.EmaDecay, collapse.Stages, update.Skipped, rate, seconds, eta);
        folder.AppendMetrics(line);
        observer.Logged(line);
        if (update.Skipped || step <= config.WarmupSteps) return;
        WarnIf(line.TargetStd < config.TargetStdFloor, step, "target_std",
            $"the targets collapse: deviation {line.TargetStd:F3} < {config.TargetStdFloor}");
        WarnIf(line.PredictionStd < config.PredictionStdFloor, step, "prediction_std",
            $"the predictions collapse: deviation {line.PredictionStd:F3} < {config.PredictionStdFloor}");
        WarnIf(line.PositionR2 > config.PositionR2Ceiling, step, "position_r2",
            $"the position explains {line.PositionR2:P0} of the targets");
    }

    /// <summary>One warning when a sign turns bad, none while it stays so: the log line shows it every time.</summary>
    private void WarnIf(bool bad, int step, string sign, string message)
    {
        if (!bad) unhealthy.Remove(sign);
        else if (unhealthy.Add(sign)) observer.Warned($"step {step}: {message}");
    }

    private void Save()
    {
        // Nothing broken is saved: an update that is not finite stops the run here at the latest.
        TakeReports();
        if (saved == session.Step) return;
        saved = session.Step;
        Warming?.Remember();
        var path = folder.Checkpoints.Save(session.Step, writer =>
        {
            TrainingState.Write(writer, session.Store, session.Step);
            task.WritePublished(writer);
            writer.Write("pretrain.yaml", s => s.Write(Encoding.UTF8.GetBytes(Portable())));
        });
        observer.Saved(path, session.Step);
    }

    /// <summary>
    /// The settings without the numbers of threads: they change no result, so no byte of a checkpoint.
    /// </summary>
    private string Portable() => ConfigKeys.Print(config with { Threads = 0, Workers = 0 });
}
