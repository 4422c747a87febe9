using System.Diagnostics;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Evaluation;

namespace Data2Vec.Models;

/// <summary>Pre-trains data2vec from data to a summary, whatever the modality: the main job.</summary>
public static class Pretrainer
{
    /// <summary>Keys that may change between the parts of one run.</summary>
    private static readonly string[] FreeKeys = ["threads", "workers", "save_every", "keep", "log_every", "probes"];

    /// <summary>Runs to the end, or until a stop is requested (then it saves and returns null).</summary>
    /// <exception cref="NonFiniteException">Loss or gradient is not finite and the policy is to stop.</exception>
    /// <exception cref="IOException">Data or checkpoint cannot be read or written.</exception>
    public static RunSummary? Run(
        PretrainConfig config, PretrainOptions options, IPretrainObserver observer, CancellationToken stop = default)
    {
        config.Check();
        var clock = Stopwatch.StartNew();
        PeakMemory.Restart();
        using var device = Device.Parse(options.Device, config.Threads, observer.Phase);
        using var folder = new RunFolder(options.Folder, config.Keep);
        foreach (var left in folder.Prepare(options.Resume))
            observer.Warned($"removed what an interrupted save had left: {left}");
        if (folder.Start is not null) RefuseOtherSettings(config, folder);

        var task = config.CreateTask();
        task.Load(options, folder, observer);
        folder.WriteText("config.yaml", ConfigKeys.Print(config));
        using var session = task.Start(device);
        IReadOnlyList<string> leftOut = config.Probes ? task.DrawProbes() : [];
        foreach (var reason in leftOut) observer.Warned($"probe left out: {reason}");
        if (config.Probes) observer.Phase("probing the untrained encoder");
        var random = config.Probes ? task.ProbeAccuracies() : null;
        if (folder.Start is not null) session.Step = TrainingState.Read(folder.Start, session.Store);
        folder.TruncateMetrics(session.Step);
        observer.Started(new RunHeader(config.Modality, config.Preset, device.ToString(), task.Data, session.Store.Count,
            session.Step, config.Steps, folder.Path, task.Unit));
        var training = new TrainingLoop(config, task, session, folder, observer);
        if (!training.Run(stop)) return null;

        IReadOnlyList<ProbeResult> probes = [];
        if (random is not null)
        {
            observer.Phase("probing the trained encoder");
            probes = task.ProbeResults(random, config.Steps == 0 ? random : task.ProbeAccuracies());
        }
        var (first, last) = (folder.ReadMetrics().FirstOrDefault(), folder.ReadMetrics().LastOrDefault());
        var summary = new RunSummary(config.Modality, config.Preset, config.Seed, session.Step, clock.Elapsed.TotalSeconds,
            first?.Loss, last?.Loss, last?.TargetStd, last?.PredictionStd, last?.PositionR2, last?.EffectiveRank,
            probes, leftOut, training.PositionsPerSecond, training.FirstUpdateSeconds, training.Warming?.Seconds,
            training.Warming?.Kernels, training.Warming?.FirstUpdateKernels,
            (device.Backend as IReplayingBackend)?.Replays is { } replays ? replays.Captured + replays.Replayed : null,
            PeakMemory.Read(), device.ToString(), config.Threads == 0 ? Environment.ProcessorCount : config.Threads, task.Digest);
        folder.WriteJson("summary.json", summary);
        observer.Finished(summary);
        return summary;
    }

    private static void RefuseOtherSettings(PretrainConfig config, RunFolder folder)
    {
        var before = ConfigKeys.ApplyFile(config, folder.File("config.yaml"));
        string[] Lines(PretrainConfig c) => [.. ConfigKeys.Print(c).Split('\n')
            .Where(l => !l.StartsWith('#') && !FreeKeys.Any(k => l.StartsWith(k + ":", StringComparison.Ordinal)))];
        foreach (var (then, now) in Lines(before).Zip(Lines(config)))
        {
            if (then != now)
            {
                throw new ConfigException(
                    $"The run in {folder.Path} was started with `{then}`, so it cannot go on with `{now}`.");
            }
        }
    }
}
