using System.CommandLine;
using System.CommandLine.Parsing;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Cli;

/// <summary>The `data2vec` command: parsing and printing only. Exit codes: 0 done, 1 failed, 2 wrong use.</summary>
internal static class Commands
{
    private const int Failed = 1;
    private const int WrongUse = 2;

    /// <summary>Runs one command line.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        var root = new RootCommand("data2vec: pre-train and use models of speech, vision and text.")
        {
            Pretrain(), Embed(), Doctor(), Config(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            errors.WriteLine(Sentence(parsed, args));
            return WrongUse;
        }
        return parsed.Invoke(new InvocationConfiguration
        {
            Output = output, Error = errors, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null,
        });
    }

    private static Command Pretrain()
    {
        var preset = new Option<string>("--preset") { Description = "tiny, small or base.", DefaultValueFactory = _ => "tiny" };
        var data = new Option<string[]>("--data")
        {
            Description = "Text files or folders; without it the .NET documentation on this machine.",
            AllowMultipleArgumentsPerToken = true,
        };
        var config = new Option<string?>("--config") { Description = "YAML file of settings over the preset." };
        var resume = new Option<string?>("--resume")
        {
            Description = "auto: go on from the run folder's last checkpoint, if there is one.",
        };
        resume.AcceptOnlyFromAmong("auto");
        var device = new Option<string>("--device") { Description = "cpu, reference or auto.", DefaultValueFactory = _ => "auto" };
        var folder = new Option<string?>("--out") { Description = "The run folder; default runs/text-PRESET." };
        var dry = new Option<bool>("--dry-run") { Description = "Print the settings and the size of the model, then stop." };
        var settings = Settings();
        var text = new Command("text", "Pre-train data2vec text.") { preset, data, config, resume, device, folder, dry, settings };
        text.SetAction(parsed => Guarded(parsed, () =>
        {
            var name = parsed.GetValue(preset)!;
            var resolved = Resolve(name, parsed.GetValue(config), parsed.GetValue(settings) ?? []);
            resolved.Check();
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(dry))
            {
                output.Write(ConfigKeys<TextPretrainConfig>.Print(resolved));
                output.WriteLine($"# {ModelSize.Of(resolved):N0} parameters");
                return 0;
            }
            var options = new PretrainOptions(
                parsed.GetValue(folder) ?? Path.Combine("runs", $"text-{name}"), parsed.GetValue(data) ?? [],
                parsed.GetValue(device)!, parsed.GetValue(resume) == "auto");
            using var signals = new StopSignals();
            var summary = TextPretraining.Run(resolved, options, new PretrainView(output), signals.Token);
            return summary is null ? signals.ExitCode : 0;
        }));
        return new Command("pretrain", "Pre-train a model.") { text };
    }

    private static Command Embed()
    {
        var model = new Option<string>("--model") { Description = "A checkpoint or a published folder.", Required = true };
        var input = new Option<string>("--input") { Description = "Text file, one document a line; <mask> is understood.", Required = true };
        var result = new Option<string>("--out") { Description = "The .npy file to write.", Required = true };
        var pool = new Option<string>("--pool") { Description = "mean, or none for every token.", DefaultValueFactory = _ => "mean" };
        pool.AcceptOnlyFromAmong("mean", "none");
        var device = new Option<string>("--device") { Description = "cpu, reference or auto.", DefaultValueFactory = _ => "auto" };
        var threads = new Option<int>("--threads") { Description = "CPU threads; 0 = all cores." };
        var command = new Command("embed", "Compute features of documents.") { model, input, result, pool, device, threads };
        command.SetAction(parsed => Guarded(parsed, () =>
        {
            var written = TextEmbedding.Run(
                parsed.GetValue(model)!, parsed.GetValue(input)!, parsed.GetValue(result)!,
                parsed.GetValue(pool) == "mean", parsed.GetValue(device)!, parsed.GetValue(threads));
            parsed.InvocationConfiguration.Output.WriteLine(written);
            return 0;
        }));
        return command;
    }

    private static Command Doctor()
    {
        var command = new Command("doctor", "Show devices, instruction sets and libraries, and why one cannot be used.");
        command.SetAction(parsed => Guarded(parsed, () =>
        {
            DoctorReport.Print(parsed.InvocationConfiguration.Output);
            return 0;
        }));
        return command;
    }

    private static Command Config()
    {
        var preset = new Option<string>("--preset") { Description = "tiny, small or base.", DefaultValueFactory = _ => "tiny" };
        var config = new Option<string?>("--config") { Description = "YAML file of settings over the preset." };
        var settings = Settings();
        var print = new Command("print", "Print every key with its value and meaning.") { preset, config, settings };
        print.SetAction(parsed => Guarded(parsed, () =>
        {
            var resolved = Resolve(parsed.GetValue(preset)!, parsed.GetValue(config), parsed.GetValue(settings) ?? []);
            parsed.InvocationConfiguration.Output.Write(ConfigKeys<TextPretrainConfig>.Print(resolved));
            return 0;
        }));
        return new Command("config", "Settings of runs.") { print };
    }

    private static Argument<string[]> Settings()
    {
        var settings = new Argument<string[]>("key=value") { Description = "Settings over preset and file.", Arity = ArgumentArity.ZeroOrMore };
        settings.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (!token.Value.Contains('=', StringComparison.Ordinal) || token.Value.StartsWith('-'))
                    result.AddError(NotASetting(token.Value));
        });
        return settings;
    }

    private static TextPretrainConfig Resolve(string preset, string? file, string[] settings)
    {
        var config = TextPretrainConfig.OfPreset(preset);
        if (file is not null) config = ConfigKeys<TextPretrainConfig>.ApplyFile(config, file);
        return ConfigKeys<TextPretrainConfig>.ApplyArguments(config, settings);
    }

    /// <summary>What goes wrong is one sentence on the error stream and a non-zero exit.</summary>
    private static int Guarded(ParseResult parsed, Func<int> run)
    {
        var errors = parsed.InvocationConfiguration.Error;
        try
        {
            return run();
        }
        catch (ConfigException e)
        {
            errors.WriteLine(e.Message);
            return WrongUse;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
            or NonFiniteException or ArgumentException or NotSupportedException or OutOfMemoryException)
        {
            errors.WriteLine(e.Message);
            return Failed;
        }
    }

    private static string Sentence(ParseResult parsed, string[] args)
    {
        // A flag that no command has is taken for a setting or an unknown word: name the nearest flag instead.
        var options = parsed.CommandResult.Command.Options.Select(o => o.Name).ToArray();
        var flag = args.FirstOrDefault(a => a.StartsWith("--", StringComparison.Ordinal)
            && !options.Contains(a.Split('=')[0]) && a != "--help");
        if (flag is not null)
            return $"There is no option '{flag.Split('=')[0]}'{Suggestion.For(flag.Split('=')[0], options)}";
        var commands = parsed.CommandResult.Command.Subcommands.Select(c => c.Name).ToArray();
        if (commands.Length > 0 && parsed.UnmatchedTokens.Count > 0)
            return $"There is no command '{parsed.UnmatchedTokens[0]}'{Suggestion.For(parsed.UnmatchedTokens[0], commands)}";
        return parsed.Errors[0].Message;
    }

    private static string NotASetting(string word) => $"'{word}' is not understood: settings are given as key=value.";
}
