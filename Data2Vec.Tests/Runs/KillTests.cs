using System.Diagnostics;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Runs;

/// <summary>
/// kill -9 inside a save: afterwards there is always a checkpoint that opens, no save that was reported is lost, the
/// next start removes what was left, and the run comes to the same end, bit by bit.
/// </summary>
public sealed class KillTests
{
    [TestCase("text", 12)]
    [TestCase("vision", 8)]
    [TestCase("audio", 8)]
    public void Kills_inside_a_save_lose_nothing(string modality, int kills) => KillInsideSaves(modality, kills);

    [TestCase("text", 100), TestCase("vision", 20), TestCase("audio", 20)]
    [Explicit("Takes two minutes; .ci/run runs it."), Category("Slow")]
    public void Many_kills_inside_a_save_lose_nothing(string modality, int kills) => KillInsideSaves(modality, kills);

    private static void KillInsideSaves(string modality, int kills)
    {
        using var tiny = new TinyRun(modality);
        // A process finishes at most two saves before it is killed.
        var end = 4 * kills + 20;
        string[] settings = [$"steps={end}", "batch_size=2", "micro_batches=1", "keep=1", "threads=1"];
        var run = tiny.Folder("killed");
        var arguments = tiny.Arguments("killed", [.. settings, "save_every=1", "--resume", "auto"]);
        var saves = new SaveWatch(Path.Combine(run, "checkpoints"));
        var moments = new List<SaveMoment>();
        var clock = Stopwatch.StartNew();
        var (starts, swept, reported) = (0, 0, 0);
        // On a busy machine a kill may come a moment too late; then there are some more.
        while (moments.Count < kills || moments.Distinct().Count() < Enum.GetValues<SaveMoment>().Length)
        {
            Assert.That(starts, Is.LessThan(2 * kills), $"moments hit: {string.Join(", ", moments)}");
            var left = saves.Leftovers();
            using var child = Child.Start(arguments, saveDelay: 10);
            // The first checkpoint must be there before a kill: without one there is nothing to lose.
            if (starts++ == 0) child.WaitFor("saved ");
            saves.WaitFor((SaveMoment)(starts % 4), saves: 1 + starts % 2, random: starts * 0.618 % 1, child);
            var result = child.Kill();
            Assert.That(result.Code, Is.EqualTo(128 + 9), result.Error);

            if (saves.Interrupted() is { } moment) moments.Add(moment);
            var removed = Lines(result.Output, "warning: removed what an interrupted save had left: ");
            Assert.That(removed, Is.EquivalentTo(left), "the next start sweeps");
            swept += removed.Length;
            var steps = Lines(result.Output, $"saved {saves.Folder}/step-").Select(int.Parse);
            reported = Math.Max(reported, steps.LastOrDefault());
            var current = Path.GetFileName(Checkpoint.Open(saves.Folder).Folder);
            Assert.That(int.Parse(current["step-".Length..]), Is.GreaterThanOrEqualTo(reported));
            Assert.That(reported, Is.LessThan(end - 4), "the run must not end before it is killed");
        }
        TestContext.Out.WriteLine($"{modality}: {starts} starts, {moments.Count} kills inside a save ("
            + string.Join(", ", moments.CountBy(m => m).OrderBy(m => m.Key).Select(m => $"{m.Value} {m.Key}"))
            + $"), {swept} leftovers swept, {reported} steps, {clock.Elapsed.TotalSeconds:F1} s");
        // What the last kill has left is swept below.
        Assert.That(swept + saves.Leftovers().Length, Is.GreaterThanOrEqualTo(
            moments.Count(m => m is SaveMoment.Writing or SaveMoment.Removing)), "these moments leave something");

        tiny.Train("killed", [.. settings, "save_every=0", "--resume", "auto"]);
        tiny.Train("whole", [.. settings, "save_every=0"]);
        Assert.That(saves.Leftovers(), Is.Empty);
        Assert.That(RunFiles.TrainedHashes(run), Is.EqualTo(RunFiles.TrainedHashes(tiny.Folder("whole"))));
        Assert.That(RunFiles.Metrics(run), Is.EqualTo(RunFiles.Metrics(tiny.Folder("whole"))));
    }

    private static string[] Lines(string output, string start) => [.. output.Split('\n')
        .Where(l => l.StartsWith(start, StringComparison.Ordinal)).Select(l => l[start.Length..])];
}
