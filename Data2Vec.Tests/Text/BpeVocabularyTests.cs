using Data2Vec.Models.Text;
using NUnit.Framework;

namespace Data2Vec.Tests.Text;

public sealed class BpeVocabularyTests
{
    private const string Merges = "#version: 0.2\na b\n";
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("vocabulary").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, true);

    [TestCase("{\"a\":0,\"b\":1,\"a\":2}", Merges, "occurs twice")]
    [TestCase("{\"a\":0,\"b\":0,\"ab\":2}", Merges, "two tokens")]
    [TestCase("{\"a\":0,\"b\":1,\"ab\":3}", Merges, "without gaps")]
    [TestCase("{\"a\":0,\"b\":-1,\"ab\":2}", Merges, "without gaps")]
    [TestCase("{\"a\":0,\"b\":\"1\",\"ab\":2}", Merges, "not a whole number")]
    [TestCase("{\"a\":0,\"b\":1.5,\"ab\":2}", Merges, "not a whole number")]
    [TestCase("{\"a\":0,\"b\":1,\"ab\":2", Merges, "not valid JSON")]
    [TestCase("{\"a\":0,\"b\":1,\"ab\":2}x", Merges, "not valid JSON")]
    [TestCase("{\"a\":0,\"\\ud800\":1,\"ab\":2}", Merges, "not valid JSON")]
    [TestCase("[]", Merges, "one JSON object")]
    [TestCase("{}", Merges, "is empty")]
    [TestCase("", Merges, "not valid JSON")]
    [TestCase("{\"a\":0,\"b\":1}", Merges, "needs the token \"ab\"")]
    [TestCase("{\"a\":0,\"b\":1,\"ab\":2}", "a b c\n", "line 1")]
    [TestCase("{\"a\":0,\"b\":1,\"ab\":2}", "a b\n\na b\n", "line 2")]
    [TestCase("{\"a\":0,\"b\":1,\"ab\":2}", "ab\n", "two tokens")]
    public void Broken_files_are_refused(string vocabulary, string merges, string message)
    {
        Write(vocabulary, merges);
        Assert.That(() => BpeVocabulary.Load(folder),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(message).And.Message.Contains(folder));
    }

    [Test]
    public void Broken_UTF8_is_refused_with_the_byte()
    {
        Write("{\"a\":0,\"b\":1,\"ab\":2}", Merges);
        File.WriteAllBytes(Path.Combine(folder, "merges.txt"), [.. "a b\n"u8, 0xFF]);
        Assert.That(() => BpeVocabulary.Load(folder),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("byte 4"));
    }

    [Test]
    public void A_missing_file_and_a_missing_special_token_are_refused()
    {
        Assert.That(() => BpeVocabulary.Load(folder), Throws.InstanceOf<IOException>());
        Write("{\"a\":0,\"b\":1,\"ab\":2}", Merges);
        Assert.That(() => ByteLevelBpe.Load(folder),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("\"<s>\""));
    }

    [Test]
    public void A_vocabulary_without_all_bytes_is_refused()
    {
        var options = new BpeTrainingOptions { VocabularySize = 20, WholeAlphabet = false };
        var trained = BpeTrainer.Train(["abc abc"], options).Append("<mask>");
        Assert.That(() => new ByteLevelBpe(trained),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("all 256"));
    }

    [Test]
    public void What_is_saved_is_read_back_and_encodes_the_same()
    {
        var trained = BpeTrainer.Train(
            ["Gets the \"quoted\" value \\ of caf\u00e9 # # #", "Gets the value; the value."],
            new BpeTrainingOptions { VocabularySize = 300, MinFrequency = 1 }).Append("<mask>");
        trained.Save(folder);
        var read = BpeVocabulary.Load(folder);
        Assert.That(read.Tokens, Is.EqualTo(trained.Tokens));
        Assert.That(read.Merges, Is.EqualTo(trained.Merges));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(2));
        const string text = "Gets the caf\u00e9 \U0001F600 # value";
        var ids = new ByteLevelBpe(read).TokenizeToIds(text);
        Assert.That(ids, Is.EqualTo(new ByteLevelBpe(trained).TokenizeToIds(text)));
        Assert.That(new ByteLevelBpe(read).Decode(ids), Is.EqualTo(text));
    }

    private void Write(string vocabulary, string merges)
    {
        File.WriteAllText(Path.Combine(folder, "vocab.json"), vocabulary);
        File.WriteAllText(Path.Combine(folder, "merges.txt"), merges);
    }
}
