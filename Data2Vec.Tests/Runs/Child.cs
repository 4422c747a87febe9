using System.Diagnostics;
using System.Globalization;
using System.Text;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>The built `data2vec` as a process of its own, which can be sent signals and killed.</summary>
internal sealed class Child : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly Task<string> error;
    private readonly Task reading;
    private readonly object gate = new();
    private int seen;

    private Child(ProcessStartInfo start)
    {
        process = Process.Start(start)!;
        error = process.StandardError.ReadToEndAsync();
        reading = Task.Run(() =>
        {
            while (process.StandardOutput.ReadLine() is { } line)
                lock (gate)
                {
                    output.Append(line).Append('\n');
                    Monitor.PulseAll(gate);
                }
        });
    }

    private static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "data2vec.dll");

    private static string Dotnet => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    public bool HasExited => process.HasExited;

    /// <summary>Starts a command line.</summary>
    /// <param name="arguments">Of `data2vec`.</param>
    /// <param name="saveDelay">Milliseconds that a save waits between its steps.</param>
    /// <param name="before">A program and its arguments that start the command, such as env or setpriv.</param>
    public static Child Start(IReadOnlyList<string> arguments, int saveDelay = 0, IReadOnlyList<string>? before = null)
    {
        string[] line = [.. before ?? [], Dotnet, Program, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath(),
        };
        // It lives for half a second: counting calls for a better compilation does not pay.
        start.Environment["DOTNET_TieredPGO"] = "0";
        if (saveDelay > 0)
            start.Environment["DATA2VEC_TEST_SAVE_DELAY_MS"] = saveDelay.ToString(CultureInfo.InvariantCulture);
        return new Child(start);
    }

    /// <summary>Runs a command line to its end.</summary>
    public static CommandResult Run(IReadOnlyList<string> arguments, IReadOnlyList<string>? before = null)
    {
        using var child = Start(arguments, before: before);
        return child.Wait();
    }

    /// <summary>Waits until a new line with these words was printed.</summary>
    public void WaitFor(string words)
    {
        var clock = Stopwatch.StartNew();
        lock (gate)
        {
            int at;
            while ((at = output.ToString().IndexOf(words, seen, StringComparison.Ordinal)) < 0)
            {
                Assert.That(!reading.IsCompleted && clock.Elapsed < Patience, $"'{words}' was not printed: {output}");
                Monitor.Wait(gate, 100);
            }
            seen = at + words.Length;
        }
    }

    /// <summary>Sends a signal: TERM, INT.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.That(kill.ExitCode, Is.Zero, $"SIG{name} could not be sent");
    }

    /// <summary>kill -9.</summary>
    public CommandResult Kill()
    {
        process.Kill();
        return Wait();
    }

    /// <summary>Waits for the end.</summary>
    public CommandResult Wait()
    {
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            Assert.Fail($"the process did not end: {output}");
        }
        reading.Wait();
        return new CommandResult(process.ExitCode, output.ToString(), error.Result);
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }
}
