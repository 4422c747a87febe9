using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class TextFilesTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("text").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, true);

    [Test]
    public void Without_blank_lines_each_line_is_a_document()
    {
        File.WriteAllText(Path.Combine(folder, "a.txt"), "\uFEFFone\r\n two \nthree\n\n");
        Assert.That(Texts(folder), Is.EqualTo(new[] { "one", "two", "three" }));
    }

    [Test]
    public void With_blank_lines_each_block_is_a_document()
    {
        File.WriteAllText(Path.Combine(folder, "a.txt"), "one\ntwo\n\n\nthree\n");
        Assert.That(Texts(folder), Is.EqualTo(new[] { "one two", "three" }));
    }

    [Test]
    public void Files_come_in_the_order_of_their_paths_and_only_once()
    {
        Directory.CreateDirectory(Path.Combine(folder, "b"));
        File.WriteAllText(Path.Combine(folder, "c.txt"), "third");
        File.WriteAllText(Path.Combine(folder, "b", "z.txt"), "second");
        File.WriteAllText(Path.Combine(folder, "a.txt"), "first");
        File.WriteAllText(Path.Combine(folder, "a.md"), "not text");
        Assert.That(Texts(folder, Path.Combine(folder, "a.txt")), Is.EqualTo(new[] { "first", "second", "third" }));
    }

    [Test]
    public void Broken_UTF8_is_refused_with_file_and_byte()
    {
        var path = Path.Combine(folder, "a.txt");
        File.WriteAllBytes(path, [.. "caf\u00e9 "u8, 0xC3, 0x28]);
        Assert.That(() => TextFiles.Load([path]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(path).And.Message.Contains("byte 6"));
    }

    [TestCase("")]
    [TestCase(" \n\t\n")]
    public void An_empty_file_is_refused(string content)
    {
        var path = Path.Combine(folder, "a.txt");
        File.WriteAllText(path, content);
        Assert.That(() => TextFiles.Load([path]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("empty").And.Message.Contains(path));
    }

    [Test]
    public void A_missing_path_and_a_folder_without_text_are_refused()
    {
        Assert.That(() => TextFiles.Load([Path.Combine(folder, "x")]), Throws.InstanceOf<FileNotFoundException>());
        Assert.That(() => TextFiles.Load([folder]),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("no .txt file"));
        Assert.That(() => TextFiles.Load([]), Throws.InstanceOf<InvalidDataException>());
    }

    [Test]
    public void About_a_sixth_is_held_out_by_the_text_alone()
    {
        var path = Path.Combine(folder, "a.txt");
        File.WriteAllLines(path, Enumerable.Range(0, 3000).Select(i => $"Document number {i}."));
        var corpus = TextFiles.Load([path]);
        Assert.That(corpus.HeldOut, Has.Count.InRange(400, 600));
        File.WriteAllLines(path, Enumerable.Range(1000, 1000).Select(i => $"Document number {i}."));
        Assert.That(TextFiles.Load([path]).HeldOut.Select(d => d.Text), Is.EqualTo(corpus.HeldOut
            .Select(d => d.Text).Where(t => int.Parse(t[16..^1]) is >= 1000 and < 2000)));
    }

    private static IEnumerable<string> Texts(params string[] paths) =>
        TextFiles.Load(paths).Documents.Select(d => d.Text);
}
