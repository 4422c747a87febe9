using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Data2Vec.Bench;

/// <summary>
/// `curves RUN --seeds RUN RUN...`: whether a run on another device learns as the same run does on the cpu. At every logged step
/// its loss must lie within two standard deviations, taken over runs with different seeds, of the run with its own seed.
/// </summary>
internal static class CurvesCommand
{
    /// <summary>Losses are printed to the last digit, and deviations of three numbers may be small by chance.</summary>
    private const double LeastShare = 0.01;

    public static Command Make()
    {
        var run = new Argument<string>("run") { Description = "Run folder that is judged." };
        var seeds = new Option<string[]>("--seeds")
        {
            Description = "Run folders on the cpu with different seeds; the first has the seed of the run that is judged.",
            Required = true, AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("curves", "Compare the loss curve of a run with those of other seeds.") { run, seeds };
        command.SetAction(parsed =>
        {
            var (output, errors) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            try
            {
                return Compare(parsed.GetValue(run)!, parsed.GetValue(seeds)!, output);
            }
            catch (Exception e) when (e is IOException or JsonException or UsageException or UnauthorizedAccessException)
            {
                errors.WriteLine(e.Message);
                output.WriteLine(Report.Count(0, 0, 0, 0));
                return 2;
            }
        });
        return command;
    }

    private static int Compare(string run, string[] seeds, TextWriter output)
    {
        if (seeds.Length < 2) throw new UsageException($"curves needs at least 2 runs after --seeds; got {seeds.Length}.");
        var judged = Losses(run);
        var others = Array.ConvertAll(seeds, Losses);
        int compared = 0, failed = 0;
        foreach (var (step, loss) in judged)
        {
            var at = others.Where(o => o.ContainsKey(step)).Select(o => o[step]).ToArray();
            if (at.Length < others.Length) continue;
            var mean = at.Average();
            var deviation = Math.Sqrt(at.Sum(x => (x - mean) * (x - mean)) / (at.Length - 1));
            var allowed = Math.Max(2 * deviation, LeastShare * Math.Abs(mean));
            var difference = Math.Abs(loss - at[0]);
            compared++;
            var good = difference <= allowed;
            if (!good) failed++;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(good ? "ok  " : "FAIL")} step {step,6}  loss {loss:F4}  cpu {at[0]:F4}  difference {difference:F4}  allowed {allowed:F4}"));
        }
        if (compared == 0) throw new UsageException($"{run} and the runs after --seeds have no logged step in common.");
        output.WriteLine(Report.Count(1, compared, failed, 0));
        return failed > 0 ? 1 : 0;
    }

    private static SortedDictionary<int, double> Losses(string run)
    {
        var file = Path.Combine(run, "metrics.jsonl");
        if (!File.Exists(file)) throw new UsageException($"{run} is no run folder: it has no metrics.jsonl.");
        var losses = new SortedDictionary<int, double>();
        foreach (var line in File.ReadLines(file))
        {
            using var row = JsonDocument.Parse(line);
            losses[row.RootElement.GetProperty("step").GetInt32()] = row.RootElement.GetProperty("loss").GetDouble();
        }
        return losses;
    }
}
