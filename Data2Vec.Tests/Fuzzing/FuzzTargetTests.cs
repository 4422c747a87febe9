using System.Diagnostics;
using System.Text;
using Data2Vec.Fuzz;
using Data2Vec.Kernels;
using Data2Vec.Tests.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Fuzzing;

/// <summary>Every kind of file that comes from strangers, damaged thousands of times from a fixed seed.</summary>
public sealed class FuzzTargetTests
{
    private const int Tries = 4000;

    // Far above what any file took, so that a busy machine does not fail the test; a hang still does.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    [TestCaseSource(nameof(Targets))]
    public void Damaged_files_are_read_or_refused_within_their_memory(string name)
    {
        var target = FuzzTargets.Of(name);
        var seeds = target.Seeds(Fixtures.CopiedRoot).ToArray();
        Assert.That(seeds, Has.Length.GreaterThan(4));
        var random = new PhiloxStream(new RandomKey(7, 0, 0, 0xF0));
        var damaged = new DamagedPictures(seed: 7);
        var words = target.Words.Select(Encoding.Latin1.GetBytes).ToArray();
        var (read, refused, slowest) = (0, 0, TimeSpan.Zero);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Tries; i++)
        {
            var bytes = damaged.Damage(seeds[random.NextInt(seeds.Length)]);
            if (random.NextInt(3) == 0) bytes = WithWord(bytes, words[random.NextInt(words.Length)], random);
            if (random.NextInt(8) == 0) bytes = WithEnd(bytes, seeds[random.NextInt(seeds.Length)], random);
            var start = clock.Elapsed;
            try
            {
                if (target.Run(bytes) > 0) read++;
                else refused++;
            }
            catch (FuzzFindingException e)
            {
                Assert.Fail($"try {i}, {Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 1000)))}: {e}");
            }
            if (clock.Elapsed - start is var taken && taken > slowest) slowest = taken;
        }
        TestContext.Out.WriteLine($"{name}: {read} read, {refused} refused in {clock.Elapsed.TotalSeconds:F1} s, "
            + $"the slowest in {slowest.TotalMilliseconds:F0} ms");
        Assert.That(slowest, Is.LessThan(Longest));
        // Else the damage would be too great or too small to say anything.
        Assert.That(read, Is.GreaterThan(Tries / 500));
        Assert.That(refused, Is.GreaterThan(Tries / 50));
    }

    private static IEnumerable<string> Targets => FuzzTargets.Names;

    private static byte[] WithWord(byte[] bytes, byte[] word, PhiloxStream random)
    {
        var at = random.NextInt(bytes.Length + 1);
        var after = random.NextInt(2) == 0 ? at : Math.Min(at + word.Length, bytes.Length);
        return [.. bytes[..at], .. word, .. bytes[after..]];
    }

    private static byte[] WithEnd(byte[] bytes, byte[] other, PhiloxStream random) =>
        [.. bytes[..random.NextInt(bytes.Length + 1)], .. other[random.NextInt(other.Length + 1)..]];
}
