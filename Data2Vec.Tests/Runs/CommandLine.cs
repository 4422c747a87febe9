using Data2Vec.Cli;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>What a command line left behind.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandResult(int Code, string Output, string Error)
{
    /// <summary>The error stream, which must be one sentence on one line.</summary>
    public string Sentence
    {
        get
        {
            Assert.That(Error, Does.EndWith("\n"), "an error is a line");
            var line = Error[..^1].TrimEnd('\r');
            Assert.That(line, Is.Not.Empty.And.Not.Contain("\n").And.Not.Contain("   at "), "one sentence, no stack");
            Assert.That(line, Does.Match(@"[.?)]$"), "a sentence ends");
            return line;
        }
    }
}

/// <summary>The `data2vec` command inside this process.</summary>
internal static class CommandLine
{
    public static CommandResult Run(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = Commands.Run(arguments, output, error);
        return new CommandResult(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs what must succeed without a word on the error stream.</summary>
    public static string Succeed(params string[] arguments)
    {
        var result = Run(arguments);
        Assert.That((result.Code, result.Error), Is.EqualTo((0, "")), string.Join(' ', arguments));
        return result.Output;
    }

    /// <summary>Runs what must fail with this exit code, and gives its sentence.</summary>
    public static string Fail(int code, params string[] arguments)
    {
        var result = Run(arguments);
        Assert.That(result.Code, Is.EqualTo(code), $"{string.Join(' ', arguments)}: {result.Error}");
        return result.Sentence;
    }
}
