using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Data2Vec.Bench.SideBySide;

/// <summary>The peer's script under an interpreter: cases go in as a file, results come out as one.</summary>
/// <param name="interpreter">"python3", or a path.</param>
internal sealed class PeerProcess(string interpreter)
{
    /// <summary>The script that is built beside this program.</summary>
    public static string Script => Path.Combine(AppContext.BaseDirectory, "peers", "pytorch_peer.py");

    /// <summary>Runs the script to its end.</summary>
    /// <param name="cases">What to time.</param>
    /// <param name="device">"cuda:0" or "cpu".</param>
    /// <param name="told">What it says while it works, line by line.</param>
    /// <exception cref="UsageException">There is no interpreter, no PyTorch or no such device; the sentence says what was tried.</exception>
    public PeerAnswer Run(JsonArray cases, string device, Action<string> told)
    {
        var folder = Directory.CreateTempSubdirectory("data2vec-peer-");
        try
        {
            var (request, results) = (Path.Combine(folder.FullName, "cases.json"), Path.Combine(folder.FullName, "results.json"));
            File.WriteAllText(request, new JsonObject
            {
                ["version"] = PeerAnswer.Spoken, ["device"] = device, ["cases"] = cases,
            }.ToJsonString());
            var (code, last) = Start(request, results, told);
            if (code != 0)
            {
                throw new UsageException(
                    $"PyTorch was not timed: {(last.Length > 0 ? last : $"no word of why (exit code {code})")}; "
                    + $"tried `{interpreter} {Script}`.");
            }
            if (!File.Exists(results)) throw new UsageException($"PyTorch was not timed: `{interpreter} {Script}` wrote no results.");
            return PeerAnswer.Read(File.ReadAllText(results), $"`{interpreter} {Script}`");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private (int Code, string LastLine) Start(string request, string results, Action<string> told)
    {
        var start = new ProcessStartInfo(interpreter, [Script, request, results])
        {
            RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false,
        };
        // The folder of the program may be anybody's.
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        var last = "";
        try
        {
            using var process = Process.Start(start)!;
            var ignored = process.StandardOutput.ReadToEndAsync();
            while (process.StandardError.ReadLine() is { } line)
            {
                if (!string.IsNullOrWhiteSpace(line)) last = line.Trim();
                told(line);
            }
            process.WaitForExit();
            ignored.Wait();
            return (process.ExitCode, last);
        }
        catch (Win32Exception e)
        {
            throw new UsageException(
                $"PyTorch was not timed: the interpreter {interpreter} cannot be started ({e.Message}); "
                + "name one that has PyTorch with --peer-python.");
        }
    }
}
