using System.CommandLine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;
using Data2Vec.Models.Weights;

namespace Data2Vec.Cli;

/// <summary>The `data2vec` command: parsing and printing only. Exit codes: 0 done, 1 failed, 2 wrong use.</summary>
internal static class Commands
{
    /// <summary>Runs one command line.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        var root = new RootCommand("data2vec: pre-train and use models of speech, vision and text.")
        {
            PretrainCommand.Create(), Embed(), Convert(), Doctor(), Config(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            errors.WriteLine(Guard.Sentence(parsed, args));
            return Guard.WrongUse;
        }
        return parsed.Invoke(new InvocationConfiguration
        {
            Output = output, Error = errors, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null,
        });
    }

    private static Command Embed()
    {
        var model = new Option<string>("--model")
        {
            Description = "A run folder, a checkpoint or a published folder.", Required = true,
        };
        var input = new Option<string[]>("--input")
        {
            Description = "Text: a file, one document a line, <mask> is understood; audio, vision: files or folders.",
            Required = true, AllowMultipleArgumentsPerToken = true,
        };
        var result = new Option<string>("--out") { Description = "The .npy file to write.", Required = true };
        var pool = new Option<string>("--pool")
        {
            Description = "mean, or none for every token, frame or patch.", DefaultValueFactory = _ => "mean",
        };
        SharedOptions.OneOf(pool, "mean", "none");
        var device = SharedOptions.Device();
        var threads = SharedOptions.Threads();
        var command = new Command("embed", "Compute features of documents, clips or pictures.")
        {
            model, input, result, pool, device, threads,
        };
        command.SetAction(parsed => Guard.Run(parsed, () =>
        {
            var written = Embedding.Run(
                parsed.GetValue(model)!, parsed.GetValue(input)!, parsed.GetValue(result)!,
                parsed.GetValue(pool) == "mean", parsed.GetValue(device)!, parsed.GetValue(threads));
            parsed.InvocationConfiguration.Output.WriteLine(written);
            return 0;
        }));
        return command;
    }

    private static Command Convert()
    {
        var input = new Option<string>("--model") { Description = "A run folder, a checkpoint or a published folder.", Required = true };
        var output = new Option<string>("--out") { Description = "The published folder to write; must not exist.", Required = true };
        var type = new Option<string?>("--dtype") { Description = "float32, float16 or bfloat16; default that of the files." };
        SharedOptions.OneOf(type, "float32", "float16", "bfloat16");
        var shard = new Option<double?>("--shard-gb") { Description = "Cut the weights into files of at most so many GB." };
        var bare = new Option<bool>("--bare") { Description = "Leave the head out." };
        var command = new Command("convert", "Write a model as a published folder in another layout.")
        {
            input, output, type, shard, bare,
        };
        command.SetAction(parsed => Guard.Run(parsed, () =>
        {
            var bytes = parsed.GetValue(shard) is { } gb ? gb * 1e9 : WeightLayout.PublishedShardBytes;
            if (!(bytes >= 1)) throw new ConfigException($"--shard-gb must be positive; got {parsed.GetValue(shard)}.");
            SafetensorsType? dtype = parsed.GetValue(type) switch
            {
                "float32" => SafetensorsType.F32, "float16" => SafetensorsType.F16, "bfloat16" => SafetensorsType.BF16,
                _ => null,
            };
            var written = FolderConversion.Run(parsed.GetValue(input)!, parsed.GetValue(output)!,
                new ConversionOptions(dtype, (long)bytes, parsed.GetValue(bare)));
            parsed.InvocationConfiguration.Output.WriteLine(written);
            return 0;
        }));
        return command;
    }

    private static Command Doctor()
    {
        var command = new Command("doctor", "Show devices, vectors and libraries, and why one cannot be used.");
        command.SetAction(parsed => Guard.Run(parsed, () =>
        {
            DoctorReport.Print(parsed.InvocationConfiguration.Output);
            return 0;
        }));
        return command;
    }

    private static Command Config()
    {
        var modality = new Option<string>("--modality")
        {
            Description = string.Join(", ", Presets.Modalities) + ".", DefaultValueFactory = _ => "text",
        };
        var preset = SharedOptions.Preset();
        var config = SharedOptions.ConfigFile();
        var settings = SharedOptions.Settings();
        var print = new Command("print", "Print every key with its value and meaning.")
        {
            modality, preset, config, settings,
        };
        print.SetAction(parsed => Guard.Run(parsed, () =>
        {
            var resolved = SharedOptions.Resolve(parsed.GetValue(modality)!, parsed.GetValue(preset),
                parsed.GetValue(config), parsed.GetValue(settings) ?? []);
            parsed.InvocationConfiguration.Output.Write(ConfigKeys.Print(resolved));
            return 0;
        }));
        return new Command("config", "Settings of runs.") { print };
    }
}
