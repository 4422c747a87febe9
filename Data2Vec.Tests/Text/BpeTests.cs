using System.Diagnostics;
using Data2Vec.Models.Text;
using NUnit.Framework;

namespace Data2Vec.Tests.Text;

public sealed class BpeTests
{
    private static readonly ByteLevelBpe Tokenizer = ByteLevelBpe.Load(
        Path.Combine(Repository.Root, "Data2Vec.Tests", "Fixtures", "text", "tokenizer"));

    [Test]
    public void Training_equals_a_full_recount_before_every_merge([Range(1, 12)] int seed)
    {
        var random = new Random(seed);
        var documents = Enumerable.Range(0, 12).Select(_ => new string(
            [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => "aaabb c"[random.Next(7)])])).ToArray();
        var options = new BpeTrainingOptions
        {
            VocabularySize = 60, MinFrequency = seed % 3, WholeAlphabet = false, SpecialTokens = ["<s>"],
        };
        var trained = BpeTrainer.Train(documents, options);
        Assert.That(trained.Merges.Select(m => $"{m.Left} {m.Right}"), Is.EqualTo(Recount(documents, options)));
    }

    [Test]
    public void Training_refuses_a_vocabulary_smaller_than_its_alphabet() =>
        Assert.That(() => BpeTrainer.Train(["a"], new BpeTrainingOptions { VocabularySize = 259 }),
            Throws.ArgumentException.With.Message.Contains("260"));

    [Test]
    public void A_lone_surrogate_is_read_as_the_replacement_character()
    {
        const string text = "a\ud83db \ud83d\ude00\ude00";
        var spans = Tokenizer.Tokenize(text);
        Assert.That(Tokenizer.Decode(spans.Select(s => s.Id)), Is.EqualTo("a\ufffdb \U0001F600\ufffd"));
        Assert.That(spans[^1].End, Is.EqualTo(6));
    }

    [Test]
    public void A_word_of_fifty_thousand_letters_takes_seconds_at_most()
    {
        var watch = Stopwatch.StartNew();
        var word = string.Concat(Enumerable.Repeat("engineerriver", 4_000));
        Assert.That(Tokenizer.Decode(Tokenizer.TokenizeToIds(word)), Is.EqualTo(word));
        Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(10));
    }

    [Test]
    public void An_unknown_id_is_refused() =>
        Assert.That(() => Tokenizer.Decode([5, Tokenizer.Count]),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("1400"));

    [TestCase(Truncation.LongestFirst, null, null, "maximal length")]
    [TestCase(Truncation.LongestFirst, 1, null, "no room")]
    [TestCase(Truncation.OnlySecond, 4, null, "no second text")]
    [TestCase(Truncation.OnlyFirst, 6, "river river river river", "one must stay")]
    public void Impossible_truncation_is_refused(Truncation truncation, int? length, string? second, string message) =>
        Assert.That(
            () => Tokenizer.Encode("the mill, the river and the water", second,
                new SequenceOptions { Truncation = truncation, MaxLength = length }),
            Throws.ArgumentException.With.Message.Contains(message));

    [Test]
    public void Several_threads_may_share_a_tokenizer()
    {
        var texts = Enumerable.Range(0, 400)
            .Select(i => $"The {i}th river, engineer{i % 7} and mill {i * i}.").ToArray();
        var expected = texts.Select(t => string.Join(",", Tokenizer.TokenizeToIds(t))).ToArray();
        var fresh = new ByteLevelBpe(Tokenizer.Vocabulary);
        var got = texts.AsParallel().AsOrdered().WithDegreeOfParallelism(4)
            .Select(t => string.Join(",", fresh.TokenizeToIds(t))).ToArray();
        Assert.That(got, Is.EqualTo(expected));
    }

    /// <summary>The definition, word for word: count all pairs anew, merge the best, until none is left.</summary>
    private static List<string> Recount(string[] documents, BpeTrainingOptions options)
    {
        var pieces = documents.SelectMany(d => System.Text.RegularExpressions.Regex
            .Matches(d, @" ?[abc]+|\s+(?!\S)|\s+").Select(m => m.Value.Replace(' ', '\u0120')))
            .Select(p => p.Select(c => c.ToString()).ToList()).ToArray();
        var tokens = options.SpecialTokens
            .Concat(pieces.SelectMany(p => p).Distinct().Order(StringComparer.Ordinal)).ToList();
        var merges = new List<string>();
        while (tokens.Count < options.VocabularySize)
        {
            var best = pieces.SelectMany(p => p.Zip(p.Skip(1))).CountBy(p => p)
                .OrderByDescending(p => p.Value).ThenBy(p => tokens.IndexOf(p.Key.First))
                .ThenBy(p => tokens.IndexOf(p.Key.Second)).FirstOrDefault();
            if (best.Value < Math.Max(1, options.MinFrequency)) break;
            var (left, right) = best.Key;
            if (!tokens.Contains(left + right)) tokens.Add(left + right);
            merges.Add($"{left} {right}");
            foreach (var piece in pieces)
                for (var i = 0; i + 1 < piece.Count; i++)
                    if (piece[i] == left && piece[i + 1] == right)
                    {
                        piece[i] = left + right;
                        piece.RemoveAt(i + 1);
                    }
        }
        return merges;
    }
}
