using System.Globalization;
using Data2Vec.Models;
using Spectre.Console;

namespace Data2Vec.Cli;

/// <summary>Summaries as tables: the probes of one run, and one line for each of several runs.</summary>
internal static class SummaryTable
{
    /// <summary>Losses, deviations and probes before and after, for several modalities.</summary>
    public static void Write(IReadOnlyList<RunSummary> runs, TextWriter output)
    {
        var table = new Table().AddColumns(
            "modality", "loss", "target_std", "prediction_std", "position_r2", "probe: simple baseline, untrained -> trained");
        foreach (var run in runs)
        {
            var probes = run.Probes.Select(p => $"{p.Name}: {N(p.SimpleBaseline, "F3")} ({p.SimpleBaselineName}), "
                + $"{N(p.Random, "F3")} -> {N(p.Pretrained, "F3")}");
            table.AddRow(run.Modality, $"{N(run.LossFirst, "F2")} -> {N(run.LossLast, "F2")}", N(run.TargetStd, "F3"),
                N(run.PredictionStd, "F3"), N(run.PositionR2, "F2"), string.Join('\n', probes));
        }
        Print(table, output);
    }

    /// <summary>The probes of one run.</summary>
    public static void WriteProbes(RunSummary run, TextWriter output)
    {
        if (run.Probes.Count == 0) return;
        var table = new Table().AddColumns("probe", "examples", "majority", "simple baseline", "untrained", "trained");
        foreach (var p in run.Probes)
        {
            table.AddRow(p.Name, N(p.Examples, "N0"), N(p.Majority, "F3"),
                $"{N(p.SimpleBaseline, "F3")} {p.SimpleBaselineName}", N(p.Random, "F3"), N(p.Pretrained, "F3"));
        }
        Print(table, output);
    }

    /// <summary>A number for people; "-" for none.</summary>
    public static string N(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    /// <summary>Wide enough for a pipe too, where there is no terminal to ask.</summary>
    private static void Print(Table table, TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = Math.Max(140, console.Profile.Width);
        console.Write(table);
    }
}
