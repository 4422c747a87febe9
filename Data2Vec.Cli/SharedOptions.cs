using System.CommandLine;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Cli;

/// <summary>Options and arguments that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string> Preset() => new("--preset")
    {
        Description = "tiny, small or base.", DefaultValueFactory = _ => "tiny",
    };

    public static Option<string?> ConfigFile() => new("--config") { Description = "YAML file of settings over the preset." };

    public static Option<string> Device() => new("--device")
    {
        Description = "cpu, reference or auto.", DefaultValueFactory = _ => "auto",
    };

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

    /// <summary>Preset, then file, then command line.</summary>
    public static PretrainConfig Resolve(string modality, string preset, string? file, string[] settings)
    {
        var config = Presets.Of(modality, preset);
        if (file is not null) config = ConfigKeys.ApplyFile(config, file);
        return ConfigKeys.ApplyArguments(config, settings);
    }
}
