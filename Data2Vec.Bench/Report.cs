using System.Globalization;
using Data2Vec.Bench.Running;

namespace Data2Vec.Bench;

/// <summary>Collects rows, prints each as it comes, counts them in the last line, and decides the exit code.</summary>
internal sealed class Report(TextWriter output)
{
    private readonly List<Row> rows = [];

    public TextWriter Output => output;

    /// <summary>Adds a row and prints it.</summary>
    public void Add(Row row)
    {
        rows.Add(row);
        output.WriteLine(Line(row));
    }

    public static string Count(int ops, int cases, int failed, int skipped) =>
        $"ops {ops} cases {cases} failed {failed} skipped {skipped}";

    /// <summary>Writes the file and the last line.</summary>
    /// <returns>0, or 1 when something failed or nothing was run.</returns>
    public int Finish(string verb, Request request)
    {
        if (request.Json is not null) Row.Write(request.Json, verb, request.Device, rows);
        var failed = rows.Count(r => r.Status == Status.Failed);
        var skipped = rows.Count(r => r.Status == Status.Skipped);
        if (rows.Count == skipped) output.WriteLine(rows.Count == 0
            ? $"No case matches \"{request.Filter}\"; {(verb == "steps" ? StepCase.Names : "`list` shows them all")}."
            : "Every case was skipped, so nothing was shown.");
        output.WriteLine(Count(rows.Select(r => r.Op).Distinct().Count(), rows.Select(r => (r.Op, r.Case)).Distinct().Count(), failed, skipped));
        return failed > 0 || rows.Count == skipped ? 1 : 0;
    }

    private static string Line(Row r)
    {
        var status = r.Status switch { Status.Passed => "ok  ", Status.Failed => "FAIL", _ => "skip" };
        var parts = new List<string>();
        if (r.Error is { } error) parts.Add($"error {Number(error)} of tolerance" + (r.Worst is null ? "" : $" ({r.Worst})"));
        if (r.WrongError is { } wrong) parts.Add($"wrong would be {Number(wrong)}");
        if (r.Derivatives is { } n) parts.Add($"{n} derivatives" + (r.Kinks is { } k ? $", {k} kinks" : ""));
        if (r.MinSeconds is { } min)
            parts.Add($"{r.Pass,-16} min {Time(min)} median {Time(r.MedianSeconds!.Value)}"
                + (r.Speed is null ? "" : $" {r.Speed,8:0.00} {r.Unit,-7} {r.PercentOfBound,5:0.0} %"));
        if (r.Launch is { } launch)
        {
            // What the case cannot avoid is a sum of all launches: it stands beside theirs.
            var all = launch.Kernel.StartsWith("all ", StringComparison.Ordinal);
            parts.Add($"{r.Pass,-16} {launch.Kernel}: {launch.Words(all ? r.Bytes : null, all ? r.Flops : null)}");
        }
        if (r.PeerSeconds is { } peer) parts.Add($"peer {Time(peer)} ({r.PeerVariant}), ratio {r.Ratio:0.00}");
        if (r.FloorSeconds is { } floor) parts.Add($"floor {Time(floor)} is {r.ShareOfFloor:0.0} % of ours");
        if (r.HostSeconds is { } host) parts.Add($"host {Time(host).Trim()}");
        if (r.PeakBuffersMb is { } buffers)
            parts.Add($"peak {buffers:0} MB buffers, {r.PeakRssMb:0} MB process");
        if (r.AllocatedBytes is { } bytes) parts.Add($"{bytes} B managed");
        if (r.Reason is not null) parts.Add(r.Reason);
        return string.Create(CultureInfo.InvariantCulture, $"{status} {r.Op + "/" + r.Case,-52} {string.Join(", ", parts)}").TrimEnd();
    }

    private static string Number(double x) => x switch
    {
        0 => "0",
        >= 1000 or < 0.001 => x.ToString("0.0e0", CultureInfo.InvariantCulture),
        _ => x.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private static string Time(double seconds) => seconds switch
    {
        < 1e-3 => $"{seconds * 1e6,7:0.00} us",
        < 1 => $"{seconds * 1e3,7:0.00} ms",
        _ => $"{seconds,7:0.00} s ",
    };
}
