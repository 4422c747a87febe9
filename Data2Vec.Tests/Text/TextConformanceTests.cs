using Data2Vec.Bench.Conformance;
using NUnit.Framework;

namespace Data2Vec.Tests.Text;

/// <summary>Encodings, pairs, decodings and trainings of the published tokenizer, exactly.</summary>
public sealed class TextConformanceTests
{
    private static IEnumerable<string> Suites() =>
        new[] { Folder, Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "fixtures", "text")) }
            .Where(Directory.Exists);

    private static string Folder => Path.Combine(Repository.Root, "Data2Vec.Tests", "Fixtures", "text");

    [TestCaseSource(nameof(Suites))]
    public void Tokenizer_and_trainer_agree_with_the_published_ones(string suite)
    {
        var results = TextConformance.Run(suite);
        var failed = results.Where(r => r.Passed == false).Select(r => $"{r.Name}: {r.Message}").ToArray();
        Assert.That(failed, Is.Empty);
        Assert.That(results.Count(r => r.Passed == true), Is.GreaterThan(600));
        Assert.That(results.Where(r => r.Passed is null).Select(r => r.Name), Is.EqualTo(new[] { "glue" }));
    }

    [Test]
    public void A_wrong_expectation_fails()
    {
        var copy = Directory.CreateTempSubdirectory("text-suite").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(copy, "tokenizer"));
            foreach (var file in Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories))
                File.Copy(file, Path.Combine(copy, Path.GetRelativePath(Folder, file)));
            var pairs = Path.Combine(copy, "pairs.json");
            File.WriteAllText(pairs, File.ReadAllText(pairs).Replace("[17,20]", "[17,19]"));
            var failed = TextConformance.Run(copy).Where(r => r.Passed == false).ToArray();
            Assert.That(failed, Is.Not.Empty);
            Assert.That(failed[0].Message, Does.StartWith("offsets"));
        }
        finally
        {
            Directory.Delete(copy, true);
        }
    }
}
