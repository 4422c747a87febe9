using System.CommandLine;
using System.Globalization;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Cli;

/// <summary>Options and arguments that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string?> Preset() => new("--preset")
    {
        Description = $"{string.Join(", ", Presets.Names)}; default {Presets.Names[0]}, or that of the file.",
    };

    public static Option<string?> ConfigFile() => new("--config") { Description = "YAML file of settings over the preset." };

    public static Option<string> Device() => new("--device")
    {
        Description = "cpu, cuda:N or ilgpu:N (a GPU), reference or auto.", DefaultValueFactory = _ => "auto",
    };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "CPU threads; 0 = all cores.", DefaultValueFactory = _ => 0,
        CustomParser = result =>
        {
            var word = result.Tokens[0].Value;
            if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var threads) || threads > 1024)
                result.AddError($"--threads must be a whole number between 0 and 1024; got '{word}'.");
            return threads;
        },
    };

    /// <summary>Refuses other words with one sentence.</summary>
    public static void OneOf<T>(Option<T> option, params string[] words) => option.Validators.Add(result =>
    {
        foreach (var token in result.Tokens)
        {
            if (words.Contains(token.Value)) continue;
            result.AddError($"{option.Name} must be {string.Join(" or ", words)}; got '{token.Value}'"
                + Suggestion.For(token.Value, words));
        }
    });

    /// <summary>Settings as key=value; what is not one is named.</summary>
    public static Argument<string[]> Settings()
    {
        var settings = new Argument<string[]>("key=value")
        {
            Description = "Settings over preset and file.", Arity = ArgumentArity.ZeroOrMore,
        };
        settings.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (!token.Value.Contains('=', StringComparison.Ordinal) || token.Value.StartsWith('-'))
                    result.AddError($"'{token.Value}' is not understood: settings are given as key=value.");
        });
        return settings;
    }

    /// <summary>Preset, then file, then command line. A file may name its preset, as `config print` does.</summary>
    public static PretrainConfig Resolve(string modality, string? preset, string? file, string[] settings)
    {
        var name = preset ?? Presets.Names[0];
        var config = Apply(Presets.Of(modality, name), file, settings);
        if (config.Preset == name) return config;
        if (preset is not null)
            throw new ConfigException($"--preset {preset} contradicts the setting preset '{config.Preset}'.");
        return Apply(Presets.Of(modality, config.Preset), file, settings);
    }

    private static PretrainConfig Apply(PretrainConfig config, string? file, string[] settings)
    {
        if (file is not null) config = ConfigKeys.ApplyFile(config, file);
        return ConfigKeys.ApplyArguments(config, settings);
    }
}
