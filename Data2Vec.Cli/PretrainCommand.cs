using System.CommandLine;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Cli;

/// <summary>`data2vec pretrain text|vision|audio|all`.</summary>
internal static class PretrainCommand
{
    public static Command Create()
    {
        var command = new Command("pretrain", "Pre-train a model.");
        foreach (var modality in Presets.Modalities) command.Add(One(modality));
        command.Add(All());
        return command;
    }

    private static Command One(string modality)
    {
        var data = new Option<string[]>("--data")
        {
            Description = "Files or folders; without it the data that every machine has or can make.",
            AllowMultipleArgumentsPerToken = true,
        };
        var (options, command) = Options($"Pre-train data2vec {modality}.", modality, $"runs/{modality}-PRESET");
        command.Add(data);
        command.SetAction(parsed => Guard.Run(parsed, () =>
        {
            var output = parsed.InvocationConfiguration.Output;
            // "--data a.txt steps=10": an option that takes several words takes the settings behind it too.
            var words = (parsed.GetValue(data) ?? []).ToLookup(w => w.Contains('=') && !Path.Exists(w));
            var resolved = options.Resolve(parsed, modality, words[true]);
            if (parsed.GetValue(options.DryRun)) return DryRun(resolved, output);
            var run = new PretrainOptions(
                parsed.GetValue(options.Folder) ?? Path.Combine("runs", $"{modality}-{resolved.Preset}"),
                [.. words[false]], parsed.GetValue(options.Device)!, parsed.GetValue(options.Resume) == "auto");
            using var signals = new StopSignals();
            var summary = Pretrainer.Run(resolved, run, new PretrainView(output), signals.Token);
            return summary is null ? signals.ExitCode : 0;
        }));
        return command;
    }

    /// <summary>One modality after another into folders of their own, and a table of all at the end.</summary>
    private static Command All()
    {
        var (options, command) = Options("Pre-train every modality, one after another.", "all", "runs/all-PRESET");
        command.SetAction(parsed => Guard.Run(parsed, () =>
        {
            var output = parsed.InvocationConfiguration.Output;
            var resolved = Presets.Modalities.Select(m => options.Resolve(parsed, m, [])).ToList();
            if (parsed.GetValue(options.DryRun)) return resolved.Max(r => DryRun(r, output));
            // Before the first begins, so that the last does not fail hours later.
            foreach (var config in resolved) config.Check();
            var folder = parsed.GetValue(options.Folder) ?? Path.Combine("runs", $"all-{resolved[0].Preset}");
            using var signals = new StopSignals();
            var summaries = new List<RunSummary>();
            foreach (var config in resolved)
            {
                var run = new PretrainOptions(Path.Combine(folder, config.Modality), [],
                    parsed.GetValue(options.Device)!, parsed.GetValue(options.Resume) == "auto");
                if (Pretrainer.Run(config, run, new PretrainView(output), signals.Token) is not { } summary)
                    return signals.ExitCode;
                summaries.Add(summary);
            }
            SummaryTable.Write(summaries, output);
            return 0;
        }));
        return command;
    }

    private static int DryRun(PretrainConfig config, TextWriter output)
    {
        config.Check();
        output.Write(ConfigKeys.Print(config));
        output.WriteLine($"# {config.CountParameters():N0} parameters");
        return 0;
    }

    private static (RunOptions Options, Command Command) Options(string description, string name, string folder)
    {
        var resume = new Option<string?>("--resume")
        {
            Description = "auto: go on from the run folder's last checkpoint, if there is one.",
        };
        SharedOptions.OneOf(resume, "auto");
        var options = new RunOptions(SharedOptions.Preset(), SharedOptions.ConfigFile(), resume, SharedOptions.Device(),
            new Option<string?>("--out") { Description = $"The run folder; default {folder}." },
            new Option<bool>("--dry-run") { Description = "Print the settings and the size of the model, then stop." },
            SharedOptions.Settings());
        return (options, new Command(name, description)
        {
            options.Preset, options.Config, options.Resume, options.Device, options.Folder, options.DryRun, options.Settings,
        });
    }

    private sealed record RunOptions(
        Option<string?> Preset, Option<string?> Config, Option<string?> Resume, Option<string> Device,
        Option<string?> Folder, Option<bool> DryRun, Argument<string[]> Settings)
    {
        public PretrainConfig Resolve(ParseResult parsed, string modality, IEnumerable<string> more) =>
            SharedOptions.Resolve(modality, parsed.GetValue(Preset), parsed.GetValue(Config),
                [.. parsed.GetValue(Settings) ?? [], .. more]);
    }
}
