using System.Diagnostics;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Models.Text;

namespace Data2Vec.Models;

/// <summary>What a run is told beside its configuration.</summary>
/// <param name="Folder">The run folder.</param>
/// <param name="Data">Text files or folders; empty = the documentation found on this machine.</param>
/// <param name="Device">Name of the device.</param>
/// <param name="Resume">Go on from the folder's last checkpoint when there is one.</param>
public sealed record PretrainOptions(string Folder, IReadOnlyList<string> Data, string Device = "cpu", bool Resume = false);

/// <summary>Loss or gradient was NaN or infinite.</summary>
public sealed class NonFiniteException(string message) : Exception(message);

/// <summary>Pre-trains data2vec text from documents to a summary: the main job.</summary>
public static class TextPretraining
{
    /// <summary>Keys that may change between the parts of one run.</summary>
    private static readonly string[] FreeKeys = ["threads", "save_every", "keep", "log_every", "probes"];

    /// <summary>Runs to the end, or until a stop is requested (then it saves and returns null).</summary>
    /// <exception cref="NonFiniteException">Loss or gradient is not finite and the policy is to stop.</exception>
    /// <exception cref="IOException">Data, tokenizer or checkpoint cannot be read or written.</exception>
    public static RunSummary? Run(
        TextPretrainConfig config, PretrainOptions options, IPretrainObserver observer, CancellationToken stop = default)
    {
        config.Check();
        var clock = Stopwatch.StartNew();
        var folder = new RunFolder(options.Folder, config.Keep);
        foreach (var left in folder.Checkpoints.Sweep()) observer.Warned($"removed what an interrupted save had left: {left}");
        var checkpoint = folder.Checkpoints.OpenLast();
        if (checkpoint is not null && !options.Resume)
        {
            throw new IOException($"{folder.Path} holds a run already; go on with --resume auto or choose another --out.");
        }
        if (checkpoint is not null) RefuseOtherSettings(config, folder);

        observer.Phase(options.Data.Count > 0 ? "reading the texts" : "reading the documentation found on this machine");
        var corpus = options.Data.Count > 0 ? TextFiles.Load(options.Data) : DocumentationCorpus.Load();
        folder.WriteText("config.yaml", ConfigKeys<TextPretrainConfig>.Print(config));
        folder.WriteJson("data.json", new
        {
            corpus.Name, corpus.Digest, Training = corpus.Training.Count, HeldOut = corpus.HeldOut.Count, corpus.Sources,
            corpus.Skipped,
        });
        var tokenizer = Tokenizer(config, corpus, folder, observer);
        var documents = TokenizedCorpus.Create(corpus, tokenizer, config.MaxTokens);

        using var device = Device.Parse(options.Device, config.Threads, observer.Phase);
        var session = new TextTrainingSession(config, device, tokenizer, documents.Training);
        using (session)
        {
            var probes = config.Probes ? Probes(documents, tokenizer, observer) : null;
            var random = probes?.Accuracies(new TextFeatures(session.Model.Encoder, session.Evaluation()));
            if (checkpoint is not null)
            {
                session.Step = TrainingState.Read(checkpoint, session.Model.Store);
                folder.TruncateMetrics(session.Step);
            }
            observer.Started(new RunHeader("text", config.Preset, device.ToString(),
                $"{corpus.Name}, {corpus.Training.Count} documents, {documents.TrainingTokens} tokens",
                session.Model.Store.Count, session.Step, config.Steps, folder.Path));
            var training = new TrainingLoop(session, folder, observer);
            if (!training.Run(stop)) return null;

            IReadOnlyList<ProbeResult> results = [];
            if (probes is not null)
            {
                observer.Phase("probing the trained encoder");
                var trained = config.Steps == 0 ? random!
                    : probes.Accuracies(new TextFeatures(session.Model.Encoder, session.Evaluation()));
                results = probes.Results(random!, trained);
            }
            using var process = Process.GetCurrentProcess();
            var (first, last) = (training.First, training.Last);
            var summary = new RunSummary("text", config.Preset, config.Seed, session.Step, clock.Elapsed.TotalSeconds,
                first?.Loss, last?.Loss, last?.TargetStd, last?.PredictionStd, last?.PositionR2, last?.EffectiveRank, results,
                training.TokensPerSecond, process.PeakWorkingSet64 / 1048576.0, device.ToString(),
                config.Threads == 0 ? Environment.ProcessorCount : config.Threads, corpus.Digest);
            folder.WriteJson("summary.json", summary);
            observer.Finished(summary);
            return summary;
        }
    }

    private static TextProbes Probes(TokenizedCorpus documents, ByteLevelBpe tokenizer, IPretrainObserver observer)
    {
        observer.Phase("probing the untrained encoder");
        var probes = new TextProbes(documents, tokenizer);
        foreach (var reason in probes.LeftOut) observer.Warned($"probe left out: {reason}");
        return probes;
    }

    private static ByteLevelBpe Tokenizer(
        TextPretrainConfig config, TextCorpus corpus, RunFolder folder, IPretrainObserver observer)
    {
        var path = folder.File("tokenizer");
        if (File.Exists(Path.Combine(path, "vocab.json"))) return ByteLevelBpe.Load(path);
        observer.Phase($"training a byte-level BPE of {config.VocabularySize} tokens");
        var tokenizer = ByteLevelBpe.Train(corpus.Training.Select(d => d.Text), config.VocabularySize);
        Directory.CreateDirectory(path);
        tokenizer.Vocabulary.Save(path);
        return tokenizer;
    }

    private static void RefuseOtherSettings(TextPretrainConfig config, RunFolder folder)
    {
        var before = ConfigKeys<TextPretrainConfig>.ApplyFile(new TextPretrainConfig(), folder.File("config.yaml"));
        string[] Lines(TextPretrainConfig c) => [.. ConfigKeys<TextPretrainConfig>.Print(c).Split('\n')
            .Where(l => !l.StartsWith('#') && !FreeKeys.Any(k => l.StartsWith(k + ":", StringComparison.Ordinal)))];
        var (then, now) = (Lines(before), Lines(config));
        for (var i = 0; i < then.Length; i++)
        {
            if (then[i] != now[i])
            {
                throw new ConfigException(
                    $"The run in {folder.Path} was started with `{then[i]}`, so it cannot go on with `{now[i]}`.");
            }
        }
    }
}
