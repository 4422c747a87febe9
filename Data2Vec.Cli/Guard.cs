using System.CommandLine;
using System.CommandLine.Parsing;
using Data2Vec.Models;
using Data2Vec.Models.Configuration;

namespace Data2Vec.Cli;

/// <summary>What goes wrong is one sentence on the error stream and a non-zero exit: 1 failed, 2 wrong use.</summary>
internal static class Guard
{
    public const int Failed = 1;
    public const int WrongUse = 2;

    public static int Run(ParseResult parsed, Func<int> run)
    {
        var errors = parsed.InvocationConfiguration.Error;
        try
        {
            return run();
        }
        catch (ConfigException e)
        {
            errors.WriteLine(Printable(e.Message));
            return WrongUse;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
            or NonFiniteException or ArgumentException or NotSupportedException or OutOfMemoryException)
        {
            errors.WriteLine(Printable(Sentence(e)));
            return Failed;
        }
    }

    /// <summary>The system's own messages end with a path: "No space left on device : '/a/b'".</summary>
    private static string Sentence(Exception e)
    {
        var message = e.Message.ReplaceLineEndings(" ").Replace(" : '", ": '", StringComparison.Ordinal).TrimEnd();
        return message.EndsWith('\'') ? message + "." : message;
    }

    /// <summary>
    /// What a file holds may stand in a message: it shall neither break the line nor command the terminal.
    /// </summary>
    private static string Printable(string message) =>
        string.Concat(message.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()));

    /// <summary>A command line that cannot be parsed, as a sentence.</summary>
    public static string Sentence(ParseResult parsed, string[] args)
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
        return parsed.Errors[0].Message.ReplaceLineEndings(" ");
    }
}
