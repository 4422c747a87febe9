using System.Diagnostics;
using System.Text;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Models;

/// <summary>Steps, log lines, warnings and checkpoints of a run, until its end or a request to stop.</summary>
public sealed class TrainingLoop(TextTrainingSession session, RunFolder folder, IPretrainObserver observer)
{
    private int saved = -1;

    /// <summary>First log line of this process.</summary>
    public StepReport? First { get; private set; }

    /// <summary>Last log line of this process.</summary>
    public StepReport? Last { get; private set; }

    /// <summary>Over all updates of this process.</summary>
    public double TokensPerSecond { get; private set; }

    /// <summary>Trains; false when a stop was requested (a checkpoint is written then).</summary>
    public bool Run(CancellationToken stop)
    {
        var config = session.Config;
        var clock = Stopwatch.StartNew();
        var firstStep = session.Step;
        long tokens = 0, windowTokens = 0;
        var windowStart = TimeSpan.Zero;
        while (session.Step < config.Steps)
        {
            if (stop.IsCancellationRequested)
            {
                Save();
                return false;
            }
            var next = session.Step + 1;
            var log = next % config.LogEvery == 0 || next == config.Steps || next == firstStep + 1;
            var update = session.Update(log);
            tokens += update.Tokens;
            windowTokens += update.Tokens;
            if (update.Skipped) observer.Warned($"step {next}: gradient not finite, the update was skipped");
            if (log)
            {
                var elapsed = clock.Elapsed;
                var rate = windowTokens / Math.Max(1e-9, (elapsed - windowStart).TotalSeconds);
                var eta = elapsed.TotalSeconds / (next - firstStep) * (config.Steps - next);
                Report(update, next, rate, elapsed.TotalSeconds, eta);
                (windowStart, windowTokens) = (elapsed, 0);
            }
            if (config.SaveEvery > 0 && next % config.SaveEvery == 0) Save();
        }
        TokensPerSecond = tokens / Math.Max(1e-9, clock.Elapsed.TotalSeconds);
        Save();
        return true;
    }

    private void Report(UpdateReport update, int step, double tokensPerSecond, double seconds, double eta)
    {
        var config = session.Config;
        var collapse = update.Collapse!;
        Last = new StepReport(step, config.Steps, update.Loss, update.LearningRate, update.GradientNorm,
            collapse.TargetDeviation, collapse.PredictionDeviation, collapse.PositionR2, collapse.EffectiveRank,
            update.EmaDecay, tokensPerSecond, seconds, eta);
        First ??= Last;
        if (double.IsFinite(Last.Loss) && double.IsFinite(Last.GradientNorm)) folder.AppendMetrics(Last);
        observer.Logged(Last);
        if (step <= config.WarmupSteps) return;
        if (Last.TargetStd < config.TargetStdFloor)
            observer.Warned($"step {step}: the targets collapse: deviation {Last.TargetStd:F3} < {config.TargetStdFloor}");
        if (Last.PredictionStd < config.PredictionStdFloor)
            observer.Warned($"step {step}: the predictions collapse: deviation {Last.PredictionStd:F3}");
        if (Last.PositionR2 > config.PositionR2Ceiling)
            observer.Warned($"step {step}: the position explains {Last.PositionR2:P0} of the targets");
    }

    private void Save()
    {
        if (saved == session.Step) return;
        saved = session.Step;
        var model = session.Model;
        var path = folder.Checkpoints.Save(session.Step, writer =>
        {
            TrainingState.Write(writer, model.Store, session.Step);
            writer.Write("config.json", s => s.Write(PublishedText.WriteConfig(model.Encoder.Config)));
            writer.Write("model.safetensors", s => PublishedText.WriteWeights(model.Store, model.Encoder.Config, s));
            writer.Write("pretrain.yaml", s => s.Write(Encoding.UTF8.GetBytes(Portable())));
            foreach (var name in new[] { "vocab.json", "merges.txt" })
                writer.Write(name, s => s.Write(File.ReadAllBytes(Path.Combine(folder.File("tokenizer"), name))));
        });
        observer.Saved(path, session.Step);
    }

    /// <summary>The settings without the number of threads: it changes no result, so no byte of a checkpoint either.</summary>
    private string Portable() => ConfigKeys<TextPretrainConfig>.Print(session.Config with { Threads = 0 });
}
