using System.Text.Json;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Numerics;

/// <summary>The generator against published and recorded vectors, and what is drawn from its words.</summary>
public sealed class PhiloxTests
{
    private static readonly RandomKey Key = new(Seed: 0x0123_4567_89AB_CDEF, Step: 7, MicroBatch: 3, Site: 11);

    [TestCaseSource(nameof(Folders))]
    public void Blocks_equal_the_recorded_vectors(string folder)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "philox4x32_10.json")));
        var count = 0;
        foreach (var vector in json.RootElement.GetProperty("vectors").EnumerateArray())
        {
            var c = Words(vector, "counter");
            var k = Words(vector, "key");
            var block = Philox.Rounds(c[0], c[1], c[2], c[3], k[0], k[1]);
            var got = new[] { block.W0, block.W1, block.W2, block.W3 };
            Assert.That(got, Is.EqualTo(Words(vector, "output")), vector.GetRawText());
            count++;
        }
        Assert.That(count, Is.GreaterThan(0));

        static uint[] Words(JsonElement vector, string name) =>
            [.. vector.GetProperty(name).EnumerateArray().Select(e => e.GetUInt32())];
    }

    [Test]
    public void A_key_and_a_block_number_fill_counter_and_key_words_as_documented()
    {
        const ulong block = 0xABCD_1234_5678;
        Assert.That(Philox.Block(Key, block),
            Is.EqualTo(Philox.Rounds(0x1234_5678, 0x0003_ABCD, 11, 7, 0x89AB_CDEF, 0x0123_4567)));
    }

    [Test]
    public void Every_field_of_a_key_changes_the_words()
    {
        RandomKey[] keys =
        [
            Key, Key with { Seed = Key.Seed + 1 }, Key with { Seed = Key.Seed + (1UL << 32) },
            Key with { Step = 8 }, Key with { MicroBatch = 4 }, Key with { Site = 12 },
        ];
        Assert.That(keys.Select(key => Philox.Block(key, 0)), Is.Unique);
    }

    [Test]
    public void Uniform_numbers_reach_zero_and_stay_below_one()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Philox.Uniform(0u), Is.Zero);
            Assert.That(Philox.Uniform(uint.MaxValue), Is.EqualTo(1 - 1 / (float)(1 << 24)));
            Assert.That(Philox.Uniform(0x8000_0000u), Is.EqualTo(0.5f));
            Assert.That(Philox.Uniform(0u, 0u), Is.Zero);
            Assert.That(Philox.Uniform(uint.MaxValue, uint.MaxValue), Is.EqualTo(double.BitDecrement(1)));
            Assert.That(Philox.Uniform(0u, 1u << 6), Is.EqualTo(Math.ScaleB(1, -53)));
        });
    }

    [Test]
    public void A_span_can_be_filled_in_pieces()
    {
        var whole = new float[41];
        Philox.FillUniform(Key, whole);
        var normal = new float[41];
        Philox.FillNormal(Key, normal, mean: 2, deviation: 3);
        for (var start = 0; start < whole.Length; start += 7)
        {
            var piece = new float[Math.Min(7, whole.Length - start)];
            Philox.FillUniform(Key, piece, (ulong)start);
            Assert.That(piece, Is.EqualTo(whole[start..(start + piece.Length)]));
            Philox.FillNormal(Key, piece, 2, 3, (ulong)start);
            Assert.That(piece, Is.EqualTo(normal[start..(start + piece.Length)]));
        }
        Assert.That(whole[13], Is.EqualTo(Philox.Uniform(Philox.Word(Key, 13))));
        Assert.That(normal[13], Is.EqualTo((float)(2 + 3 * Philox.Normal(Key, 13))));
    }

    [Test]
    public void Normal_numbers_have_the_moments_of_a_standard_normal()
    {
        const int n = 200_000;
        var draws = new double[n];
        for (var i = 0; i < n; i++) draws[i] = Philox.Normal(Key, (ulong)i);
        // Five standard errors: the variance of x^k is E x^2k - (E x^k)^2 = 1, 2, 15, 96.
        var error = 5 / Math.Sqrt(n);
        Assert.Multiple(() =>
        {
            Assert.That(draws.Average(), Is.EqualTo(0).Within(error));
            Assert.That(draws.Average(x => x * x), Is.EqualTo(1).Within(error * Math.Sqrt(2)));
            Assert.That(draws.Average(x => x * x * x), Is.EqualTo(0).Within(error * Math.Sqrt(15)));
            Assert.That(draws.Average(x => x * x * x * x), Is.EqualTo(3).Within(error * Math.Sqrt(96)));
            Assert.That(Enumerable.Range(0, n / 2).Average(i => draws[2 * i] * draws[2 * i + 1]),
                Is.EqualTo(0).Within(5 / Math.Sqrt(n / 2)), "the two of a pair are independent");
        });
    }

    [Test]
    public void A_stream_gives_the_words_by_position_and_can_start_anywhere()
    {
        var stream = new PhiloxStream(Key);
        for (var i = 0; i < 23; i++)
        {
            Assert.That(stream.Position, Is.EqualTo((ulong)i));
            Assert.That(new PhiloxStream(Key, (ulong)i).NextUInt(), Is.EqualTo(Philox.Word(Key, (ulong)i)));
            Assert.That(stream.NextUInt(), Is.EqualTo(Philox.Word(Key, (ulong)i)));
        }
        Assert.That(new PhiloxStream(Key).NextDouble(),
            Is.EqualTo(Philox.Uniform(Philox.Word(Key, 0), Philox.Word(Key, 1))));
        Assert.That(new PhiloxStream(Key).NextNormal(), Is.EqualTo(Philox.Normal(Key, 0)));
        Assert.That(() => new PhiloxStream(Key, Philox.WordsPerKey), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Bounded_integers_are_even_also_where_a_modulo_would_not_be()
    {
        // Two rounds of 3 * 2^29 leave 2^30 of the 2^32 words over: a modulo would give the lower two thirds 3 times
        // for every 2 of the upper.
        const int bound = 3 << 29;
        const int n = 60_000;
        var stream = new PhiloxStream(Key);
        var thirds = new int[3];
        for (var i = 0; i < n; i++) thirds[stream.NextInt(bound) / (1 << 29)]++;
        // Five standard deviations of a binomial count with p = 1/3.
        Assert.That(thirds, Is.All.EqualTo(n / 3).Within(5 * Math.Sqrt(n * 2 / 9.0)));
        Assert.That(stream.NextInt(1), Is.Zero);
        Assert.That(() => stream.NextInt(0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Every_order_of_a_shuffle_is_equally_likely()
    {
        const int n = 24_000;
        var stream = new PhiloxStream(Key);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < n; i++)
        {
            var letters = "abcd".ToCharArray();
            stream.Shuffle<char>(letters);
            var order = new string(letters);
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }
        Assert.That(counts, Has.Count.EqualTo(24));
        Assert.That(counts.Values, Is.All.EqualTo(1000).Within(5 * Math.Sqrt(1000)));
    }

    [Test]
    public void A_sample_has_different_members_and_every_pair_is_equally_likely()
    {
        const int n = 20_000;
        var stream = new PhiloxStream(Key);
        var counts = new Dictionary<(int, int), int>();
        for (var i = 0; i < n; i++)
        {
            var pair = stream.SampleWithoutReplacement(5, 2);
            counts[(pair[0], pair[1])] = counts.GetValueOrDefault((pair[0], pair[1])) + 1;
        }
        Assert.That(counts, Has.Count.EqualTo(20));
        Assert.That(counts.Keys, Has.None.Matches<(int A, int B)>(p => p.A == p.B));
        Assert.That(counts.Values, Is.All.EqualTo(1000).Within(5 * Math.Sqrt(1000)));
        Assert.That(stream.SampleWithoutReplacement(100, 100), Is.EquivalentTo(Enumerable.Range(0, 100)));
        Assert.That(stream.SampleWithoutReplacement(3, 0), Is.Empty);
        Assert.That(() => stream.SampleWithoutReplacement(3, 4), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static IEnumerable<string> Folders => Fixtures.Folders("numerics");
}
