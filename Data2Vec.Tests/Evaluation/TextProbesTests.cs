using Data2Vec.Models.Data;
using Data2Vec.Models.Evaluation;
using Data2Vec.Models.Text;
using NUnit.Framework;

namespace Data2Vec.Tests.Evaluation;

public sealed class TextProbesTests
{
    private static readonly string[] Subjects = ["lion", "tiger", "horse", "mouse", "eagle"];
    private static readonly string[] Verbs = ["sees", "hears", "hunts", "fears", "likes"];

    private static readonly Lazy<(TokenizedCorpus Corpus, ByteLevelBpe Tokenizer)> Zoo = new(() => Build(true));

    [Test]
    public void Examples_are_enough_and_the_baselines_are_what_the_text_gives()
    {
        var probes = new TextProbes(Zoo.Value.Corpus, Zoo.Value.Tokenizer, Options);
        Assert.That(probes.Names, Is.EqualTo(new[] { "masked word", "bigram shift", "member kind" }));
        var results = probes.Results([0, 0, 0], [1, 1, 1]);
        Assert.That(results.Select(r => r.Examples), Has.All.GreaterThan(100));
        Assert.That(results[0].SimpleBaseline, Is.GreaterThan(results[0].Majority + 0.2));
        Assert.That(results[1].Majority, Is.EqualTo(0.5));
        Assert.That(results[1].SimpleBaseline, Is.EqualTo(0.5).Within(0.12), "a bag of words cannot see order");
        Assert.That(results[2].SimpleBaseline, Is.GreaterThan(0.95), "the kind is written in a word");
        Assert.That(results.Select(r => (r.Random, r.Pretrained)), Is.All.EqualTo((0.0, 1.0)));
    }

    [Test]
    public void Features_that_know_more_score_higher()
    {
        var (corpus, tokenizer) = Zoo.Value;
        var probes = new TextProbes(corpus, tokenizer, Options);
        var blind = probes.Accuracies(new Features(tokenizer.Count, sees: false, tokenizer.MaskId));
        var seeing = probes.Accuracies(new Features(tokenizer.Count, sees: true, tokenizer.MaskId));
        Assert.That(seeing[0], Is.GreaterThan(blind[0] + 0.2));
        Assert.That(seeing[1], Is.GreaterThan(0.9));
        Assert.That(blind[1], Is.LessThan(0.65));
        Assert.That(seeing[2], Is.GreaterThan(0.95));
        Assert.That(probes.Accuracies(new Features(tokenizer.Count, true, tokenizer.MaskId)), Is.EqualTo(seeing));
    }

    [Test]
    public void Swaps_move_whole_words_only_and_masks_hide_what_the_label_says()
    {
        var (corpus, tokenizer) = Zoo.Value;
        var words = new WholeWords(tokenizer);
        var set = ShiftSet.Draw(corpus.HeldOut, words, 100, new Random(3));
        var originals = corpus.HeldOut.Select(d => string.Join(",", d.Ids)).ToHashSet();
        var sorted = corpus.HeldOut.Select(d => string.Join(",", d.Ids.Order())).ToHashSet();
        for (var i = 0; i < set.Sequences.Count; i++)
        {
            Assert.That(originals.Contains(string.Join(",", set.Sequences[i])), Is.EqualTo(set.Labels[i] == 0));
            Assert.That(sorted, Does.Contain(string.Join(",", set.Sequences[i].Order())));
        }
        var classes = new Dictionary<int, int> { [tokenizer.TokenizeToIds(" lion").Single()] = 0 };
        var masked = MaskedSet.Draw(corpus.HeldOut, words, classes, tokenizer.MaskId, 20, new Random(4));
        Assert.That(masked.Sequences.Select((s, i) => s[masked.Positions[i]]), Is.All.EqualTo(tokenizer.MaskId));
    }

    [TestCase("The lion is here.", "lion,is,here")]
    [TestCase("The liondale isn't a lion-like x86 (lion) lion, lion", "a,lion,lion")]
    public void Parts_of_words_are_no_words(string text, string expected)
    {
        var tokenizer = ByteLevelBpe.Train(
            Enumerable.Repeat("The lion is here. A lion (lion) is, a tion like here", 9), 320);
        int[] ids = [tokenizer.BosId, .. tokenizer.TokenizeToIds(text), tokenizer.EosId];
        var found = new WholeWords(tokenizer).In(ids).Select(p => tokenizer.Decode([ids[p]]).Trim());
        Assert.That(string.Join(",", found), Is.EqualTo(expected));
    }

    [Test]
    public void Text_without_kinds_is_asked_for_its_file()
    {
        var (corpus, tokenizer) = Build(kinds: false, files: i => i / 6 % 5 == 0 ? "rare" : $"Zoo{i / 6 % 2}");
        Assert.That(corpus.Training.Select(d => d.Class).Distinct(), Is.EquivalentTo(new[] { "rare", "Zoo0", "Zoo1" }));
        var probes = new TextProbes(corpus, tokenizer, Options);
        Assert.That(probes.Names, Is.EqualTo(new[] { "masked word", "bigram shift", "file of the document" }));
        var result = probes.Results([0, 0, 0], [1, 1, 1])[2];
        Assert.That(result.Examples, Is.EqualTo(200), "the unchanged half of the bigrams");
        Assert.That(result.SimpleBaselineName, Is.EqualTo("bag of words"));
        Assert.That(result.SimpleBaseline, Is.EqualTo(result.Majority).Within(0.15), "the text does not tell");
    }

    [Test]
    public void One_file_or_files_of_a_few_documents_leave_that_probe_out_with_the_reason()
    {
        var (corpus, tokenizer) = Build(kinds: false, files: _ => "all");
        var probes = new TextProbes(corpus, tokenizer, Options);
        Assert.That(probes.Names, Is.EqualTo(new[] { "masked word", "bigram shift" }));
        Assert.That(probes.LeftOut.Single(), Is.EqualTo(
            "file of the document: there are not two with 10 examples to fit"));
        (corpus, tokenizer) = Build(kinds: false, files: i => $"{i / 9}");
        Assert.That(new TextProbes(corpus, tokenizer, Options).LeftOut.Single(), Does.StartWith("file of the document"));
        var few = new TextProbes(corpus, tokenizer, Options with { MaskedTest = 50 });
        Assert.That(few.LeftOut[0], Does.StartWith("masked word").And.Contain("50 to test"));
    }

    private static TextProbeOptions Options =>
        new() { MaskedTraining = 600, MaskedTest = 300, ShiftTraining = 800, ShiftTest = 400 };

    private static (TokenizedCorpus, ByteLevelBpe) Build(bool kinds, Func<int, string>? files = null)
    {
        var random = new Random(5);
        var documents = Enumerable.Range(0, 2400).Select(i =>
        {
            var subject = random.Next(5);
            var method = random.Next(2) == 0;
            var text = $"{(method ? "Now" : "Often")} the {Subjects[subject]} {Verbs[subject]} some "
                + $"{Subjects[random.Next(5)]} near them.";
            var kind = kinds ? method ? 'M' : 'T' : '\0';
            return new TextDocument(text, files?.Invoke(i) ?? $"Zoo{i % 6}", kind, i % 6 == 0);
        }).ToArray();
        var corpus = new TextCorpus("zoo", documents, []);
        var tokenizer = ByteLevelBpe.Train(corpus.Training.Select(d => d.Text), 400);
        return (TokenizedCorpus.Create(corpus, tokenizer, 32), tokenizer);
    }

    /// <summary>Neighbours of the mask and hashed bigrams, or nothing but tokens.</summary>
    private sealed class Features(int vocabulary, bool sees, int maskId) : ITextFeatures
    {
        public int Width => 2 * vocabulary;

        public int Layers => 2;

        public float[] AtPositions(IReadOnlyList<int[]> sequences, IReadOnlyList<int> positions)
        {
            var result = new float[sequences.Count * Width];
            for (var i = 0; i < sequences.Count; i++)
            {
                Assert.That(sequences[i][positions[i]], Is.EqualTo(maskId));
                if (!sees) continue;
                result[i * Width + sequences[i][positions[i] - 1]] = 1;
                result[i * Width + vocabulary + sequences[i][positions[i] + 1]] = 1;
            }
            return result;
        }

        public float[] MeanPooled(IReadOnlyList<int[]> sequences)
        {
            var result = new float[sequences.Count * Layers * Width];
            for (var i = 0; i < sequences.Count; i++)
                for (var p = 0; p + 1 < sequences[i].Length; p++)
                {
                    var (a, b) = (sequences[i][p], sequences[i][p + 1]);
                    for (var layer = 0; layer < Layers; layer++)
                    {
                        var row = (i * Layers + layer) * Width;
                        result[row + a] += 1f / sequences[i].Length;
                        if (sees) result[row + vocabulary + (a * 31 + b) % vocabulary] += 1f / sequences[i].Length;
                    }
                }
            return result;
        }
    }
}
