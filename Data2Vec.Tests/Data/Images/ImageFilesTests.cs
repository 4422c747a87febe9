using System.Formats.Tar;
using Data2Vec.Models.Data;
using NUnit.Framework;
using SkiaSharp;

namespace Data2Vec.Tests.Data;

public sealed class ImageFilesTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void The_first_folder_names_the_class_and_pictures_come_in_the_order_of_their_names()
    {
        foreach (var name in new[] { "dog/b.png", "cat/deep/er/a.JPG", "dog/a.webp", "cat/notes.txt", "ant/x.gif" })
            Put(name, 10);
        var corpus = Load(folder.Path);
        Assert.That(corpus.Samples.Select(s => s.Name),
            Is.EqualTo(new[] { "ant/x.gif", "cat/deep/er/a.JPG", "dog/a.webp", "dog/b.png" }));
        Assert.That(corpus.Classes, Is.EqualTo(new[] { "ant", "cat", "dog" }));
        Assert.That(corpus.Samples.Select(s => s.Label), Is.EqualTo(new[] { 0, 1, 2, 2 }));
        Assert.That(ImageCorpus.Read(corpus.Samples[3]).Pixels[0], Is.EqualTo(10));
    }

    [Test]
    public void A_picture_in_the_folder_itself_makes_it_flat()
    {
        Put("dog/b.png", 1);
        Put("a.png", 2);
        var corpus = Load(folder.Path);
        Assert.That(corpus.Classes, Is.Empty);
        Assert.That(corpus.Samples.Select(s => s.Label), Is.All.EqualTo(-1));
    }

    [Test]
    public void Classes_that_are_numbers_are_ordered_by_value()
    {
        foreach (var name in new[] { "10/a.png", "9/a.png", "100/a.png" }) Put(name, 1);
        Assert.That(Load(folder.Path).Classes, Is.EqualTo(new[] { "9", "10", "100" }));
    }

    [Test]
    public void Files_given_twice_count_once()
    {
        Put("dog/b.png", 1);
        Assert.That(Load(folder.Path, Path.Combine(folder.Path, "dog", "b.png")).Samples, Has.Count.EqualTo(1));
    }

    [Test]
    public void Pictures_of_one_name_in_two_folders_are_told_apart()
    {
        Put("x/dog/b.png", 1);
        Put("y/dog/b.png", 2);
        var corpus = Load(Path.Combine(folder.Path, "x"), Path.Combine(folder.Path, "y"));
        Assert.That(corpus.Samples.Select(s => s.Name).ToHashSet(), Has.Count.EqualTo(2));
        Assert.That(corpus.Classes, Is.EqualTo(new[] { "dog" }));
    }

    [Test]
    public void About_a_sixth_is_held_out_by_the_names_alone()
    {
        var bytes = Picture(3);
        foreach (var i in Enumerable.Range(0, 900)) Put($"c{i % 3}/p{i}.png", bytes);
        var corpus = Load(folder.Path);
        Assert.That(corpus.HeldOut, Has.Count.InRange(150 - 45, 150 + 45), "four standard deviations");
        Assert.That(corpus.Training, Has.Count.EqualTo(900 - corpus.HeldOut.Count));
        var held = corpus.HeldOut.Select(s => s.Name).ToHashSet();
        foreach (var i in Enumerable.Range(0, 600)) File.Delete(Path.Combine(folder.Path, $"c{i % 3}", $"p{i}.png"));
        Put("new/one.png", 5);
        var fewer = Load(folder.Path);
        Assert.That(fewer.Samples.Where(s => s.Name != "new/one.png").All(s => s.HeldOut == held.Contains(s.Name)));
    }

    [Test]
    public void The_digest_follows_names_lengths_and_classes()
    {
        Put("dog/b.png", 1);
        Put("cat/a.png", 1);
        var digest = Load(folder.Path).Digest;
        Assert.That(Load(folder.Path).Digest, Is.EqualTo(digest));
        Assert.That(digest, Has.Length.EqualTo(64));
        File.AppendAllText(Path.Combine(folder.Path, "cat", "a.png"), "x");
        var longer = Load(folder.Path).Digest;
        Assert.That(longer, Is.Not.EqualTo(digest));
        Put("flat.png", 1);
        File.Move(Path.Combine(folder.Path, "flat.png"), Path.Combine(folder.Path, "cat", "c.png"));
        Assert.That(Load(folder.Path).Digest, Is.Not.EqualTo(longer));
    }

    [Test]
    public void Shards_are_read_by_key_with_the_class_beside_the_picture()
    {
        Tar("s.tar", ("a.png", Picture(1)), ("a.cls", "2\n"u8.ToArray()),
            ("b.png", Picture(2)), ("b.cls", "0"u8.ToArray()));
        var corpus = Load(Path.Combine(folder.Path, "s.tar"));
        Assert.That(corpus.Classes, Is.EqualTo(new[] { "0", "2" }));
        Assert.That(corpus.Samples.Select(s => (s.Name, s.Label)),
            Is.EqualTo(new[] { ("s.tar/a.png", 1), ("s.tar/b.png", 0) }));
        Assert.That(corpus.Samples.Select(s => ImageCorpus.Read(s).Pixels[0]), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public void Shards_in_a_folder_name_classes_by_their_own_folders()
    {
        Tar("s1.tar", ("dog/x.png", Picture(1)));
        Tar("s0.tar", ("cat/y.png", Picture(2)), ("dog/z.png", Picture(3)));
        var corpus = Load(folder.Path);
        Assert.That(corpus.Samples.Select(s => s.Name),
            Is.EqualTo(new[] { "s0.tar/cat/y.png", "s0.tar/dog/z.png", "s1.tar/dog/x.png" }));
        Assert.That(corpus.Classes, Is.EqualTo(new[] { "cat", "dog" }));
    }

    [Test]
    public void A_cut_shard_fails_or_gives_what_lies_before_the_cut()
    {
        Tar("s.tar", ("dog/x.png", Picture(1)), ("dog/y.png", Picture(2)));
        var path = Path.Combine(folder.Path, "s.tar");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..1600]);
        Assert.That(() => Load(path), Throws.InstanceOf<BadSampleException>().With.Message.Contains(path));
        var bad = new BadSamples(BadSamplePolicy.Skip);
        Assert.That(ImageFiles.Load([path], bad).Samples.Select(s => s.Name), Is.EqualTo(new[] { "s.tar/dog/x.png" }));
        Assert.That(bad.List.Single().Name, Is.EqualTo("s.tar"));
    }

    [Test]
    public void A_reader_leaves_broken_pictures_out_under_the_policy()
    {
        Put("a.png", 1);
        Put("b.png", "no picture"u8.ToArray());
        Put("c.png", 3);
        var samples = Load(folder.Path).Samples;
        var bad = new BadSamples(BadSamplePolicy.Skip);
        var reader = ImageCorpus.Reader(samples, bad);
        Assert.That(Enumerable.Range(0, 3).Select(i => reader.Read(i).Pixels[0]), Is.EqualTo(new[] { 1, 3, 3 }));
        Assert.That(bad.List.Single().Name, Is.EqualTo("b.png"));
        Assert.That(() => ImageCorpus.Reader(samples, new BadSamples(BadSamplePolicy.Fail)).Read(1),
            Throws.InstanceOf<BadSampleException>().With.Message.Contains("b.png"));
    }

    [Test]
    public void What_holds_no_picture_is_refused_by_name()
    {
        Assert.That(() => Load(folder.Path),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("no picture"));
        Assert.That(() => Load(folder.Path + "/x"), Throws.InstanceOf<FileNotFoundException>());
        Assert.That(() => ImageFiles.Load([], new BadSamples(BadSamplePolicy.Fail)),
            Throws.InstanceOf<InvalidDataException>());
        Tar("s.tar", ("a.png", Picture(1)), ("a.cls", new byte[300]));
        Assert.That(() => Load(folder.Path), Throws.InstanceOf<InvalidDataException>().With.Message.Contains("a.cls"));
    }

    private static ImageCorpus Load(params string[] paths) =>
        ImageFiles.Load(paths, new BadSamples(BadSamplePolicy.Fail));

    private static byte[] Picture(byte level)
    {
        var image = new RgbImage(2, 2);
        image.Pixels.AsSpan().Fill(level);
        return ImageFileTests.Encode(image, SKEncodedImageFormat.Png);
    }

    private void Put(string name, byte level) => Put(name, Picture(level));

    private void Put(string name, byte[] bytes)
    {
        var path = Path.Combine(folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    private void Tar(string name, params (string Name, byte[] Bytes)[] members)
    {
        using var writer = new TarWriter(File.Create(Path.Combine(folder.Path, name)));
        foreach (var member in members)
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, member.Name)
            {
                DataStream = new MemoryStream(member.Bytes),
            });
    }
}
