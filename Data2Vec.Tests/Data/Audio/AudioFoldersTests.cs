using System.Formats.Tar;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

public sealed class AudioFoldersTests
{
    private static readonly AudioFolderOptions Half = new() { HeldOutOneIn = 2, FewestSamples = 10 };

    [Test]
    public void The_layout_of_LibriSpeech_gives_transcripts_and_whole_speakers()
    {
        using var folder = new TemporaryFolder();
        var flac = Path.Combine(AudioFixtures.Root, "flac", "own_fixed2.flac");
        var speakers = Enumerable.Range(100, 12).ToArray();
        foreach (var speaker in speakers)
            for (var chapter = 1; chapter <= 2; chapter++)
            {
                var place = Directory.CreateDirectory(Path.Combine(folder.Path, $"{speaker}", $"{chapter}")).FullName;
                for (var i = 0; i < 2; i++) File.Copy(flac, Path.Combine(place, $"{speaker}-{chapter}-000{i}.flac"));
                File.WriteAllText(Path.Combine(place, $"{speaker}-{chapter}.trans.txt"),
                    $"{speaker}-{chapter}-0000 HELLO {speaker}\n{speaker}-{chapter}-0001 GOOD BYE\n");
            }
        var corpus = AudioFolders.Load([folder.Path], Fail, Half);
        Assert.That(corpus.Samples, Has.Count.EqualTo(48));
        Assert.That(corpus.Samples.Select(s => s.Name), Is.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        var first = corpus.Samples[0];
        Assert.That((first.Name, first.Transcript, first.Speaker),
            Is.EqualTo(("100/1/100-1-0000.flac", "HELLO 100", "100")));
        Assert.That(corpus.Samples[1].Transcript, Is.EqualTo("GOOD BYE"));
        Assert.That(corpus.Training.Select(s => s.Speaker).Intersect(corpus.HeldOut.Select(s => s.Speaker)), Is.Empty);
        Assert.That(corpus.HeldOut, Is.Not.Empty);
        Assert.That(first.Length, Is.EqualTo(2897));
        Assert.That(first.Read(), Is.EqualTo(AudioFile.Read(flac).Samples));
        Assert.That(corpus.Hours, Is.EqualTo(48 * 2897 / 16000.0 / 3600).Within(1e-9));
        Assert.That(corpus.LeftOut, Is.Empty);
    }

    [Test]
    public void Shards_give_the_same_split_however_they_are_cut()
    {
        using var folder = new TemporaryFolder();
        var names = Enumerable.Range(0, 40).Select(i => $"talk/u{i:00}").ToArray();
        var one = Shard(folder, "all.tar", names);
        var parts = Directory.CreateDirectory(Path.Combine(folder.Path, "parts"));
        for (var i = 0; i < 4; i++) Shard(folder, $"parts/p{i}.tar", names[(i * 10)..(i * 10 + 10)]);
        var whole = AudioFolders.Load([one], Fail, Half);
        var cut = AudioFolders.Load([parts.FullName], Fail, Half);
        Assert.That(whole.Samples[3].Name, Is.EqualTo("all.tar/talk/u03.wav"));
        Assert.That(whole.Samples[3].Transcript, Is.EqualTo("text of talk/u03"));
        Assert.That(cut.Samples.Select(s => s.HeldOut), Is.EqualTo(whole.Samples.Select(s => s.HeldOut)));
        Assert.That(whole.HeldOut, Has.Count.InRange(8, 32));
        Assert.That(whole.Samples[5].Length, Is.EqualTo(200), "8 kHz becomes 16");
        Assert.That(whole.Samples[5].Read(), Has.Length.EqualTo(200));
    }

    [Test]
    public void The_digest_depends_on_content_names_split_and_transcripts_only()
    {
        using var folder = new TemporaryFolder();
        void Write(string name, int last, int length = 9000) => File.WriteAllBytes(Path.Combine(folder.Path, name),
            WavBytes.Pcm16(16000, 1, [.. Enumerable.Range(0, length - 1).Select(i => (short)i), (short)last]));
        string Digest(AudioFolderOptions? o = null) => AudioFolders.Load([folder.Path], Fail, o ?? Half).Digest;
        Write("a.wav", 5);
        Write("b.wav", 6);
        var digest = Digest();
        Assert.That(digest, Does.Match("^[0-9a-f]{64}$"));
        Write("a.wav", 5);
        Assert.That(Digest(), Is.EqualTo(digest));
        Write("a.wav", 7);
        Assert.That(Digest(), Is.Not.EqualTo(digest));
        Write("a.wav", 5);
        File.Move(Path.Combine(folder.Path, "b.wav"), Path.Combine(folder.Path, "c.wav"));
        Assert.That(Digest(), Is.Not.EqualTo(digest));
        Assert.That(Digest(Half with { HeldOutOneIn = 1 }), Is.Not.EqualTo(Digest(Half with { HeldOutOneIn = 0 })));
    }

    [Test]
    public void Bad_and_short_files_are_left_out_by_name_or_stop_it()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(Path.Combine(folder.Path, "good.wav"), WavBytes.Pcm16(16000, 1, new short[100]));
        File.WriteAllBytes(Path.Combine(folder.Path, "short.wav"), WavBytes.Pcm16(16000, 1, new short[9]));
        File.WriteAllText(Path.Combine(folder.Path, "text.flac"), "no sound");
        File.WriteAllBytes(Path.Combine(folder.Path, "slow.wav"), WavBytes.Pcm16(1, 1, new short[100]));
        File.WriteAllText(Path.Combine(folder.Path, "notes.md"), "not looked at");
        File.CreateSymbolicLink(Path.Combine(folder.Path, "gone.wav"), Path.Combine(folder.Path, "nowhere.wav"));
        var bad = new BadSamples(BadSamplePolicy.Skip);
        var corpus = AudioFolders.Load([folder.Path], bad, Half);
        Assert.That(corpus.Samples.Single().Name, Is.EqualTo("good.wav"));
        Assert.That(bad.List.Select(b => b.Name), Is.EqualTo(new[] { "gone.wav", "slow.wav", "text.flac" }));
        Assert.That(corpus.LeftOut.Select(l => l.Name), Does.Contain("short.wav"));
        Assert.That(() => AudioFolders.Load([folder.Path], Fail, Half), Throws.TypeOf<BadSampleException>());
    }

    [Test]
    public void A_file_whose_sound_is_damaged_is_found_when_it_is_read()
    {
        using var folder = new TemporaryFolder();
        var flac = File.ReadAllBytes(Path.Combine(AudioFixtures.Root, "flac", "own_fixed2.flac"));
        File.WriteAllBytes(Path.Combine(folder.Path, "a.flac"), flac);
        flac[^30] ^= 4;
        File.WriteAllBytes(Path.Combine(folder.Path, "b.flac"), flac);
        var bad = new BadSamples(BadSamplePolicy.Skip);
        var corpus = AudioFolders.Load([folder.Path], bad, Half with { HeldOutOneIn = 0 });
        var reader = AudioCorpus.Reader(corpus.Training, bad);
        Assert.That(bad.Count, Is.Zero);
        Assert.That(reader.Read(1), Is.EqualTo(reader.Read(0)));
        Assert.That(reader.Read(0).Average(), Is.Zero.Within(1e-5));
        Assert.That(bad.List.Single().Name, Is.EqualTo("b.flac"));
        Assert.That(bad.List.Single().Reason, Does.StartWith("b.flac: byte "));
    }

    [Test]
    public void Two_folders_may_hold_files_of_one_name_and_a_path_given_twice_counts_once()
    {
        using var folder = new TemporaryFolder();
        foreach (var part in new[] { "x", "y" })
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, part));
            File.WriteAllBytes(Path.Combine(folder.Path, part, "a.wav"), WavBytes.Pcm16(16000, 1, new short[100]));
        }
        var (x, y) = (Path.Combine(folder.Path, "x"), Path.Combine(folder.Path, "y"));
        var corpus = AudioFolders.Load([x, y, x, Path.Combine(y, "a.wav")], Fail, Half);
        Assert.That(corpus.Samples, Has.Count.EqualTo(2));
        Assert.That(corpus.Samples.Select(s => s.Name).Distinct().Count(), Is.EqualTo(2));
    }

    [Test]
    public void Paths_without_sound_are_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => AudioFolders.Load([folder.Path], Fail), Throws.TypeOf<InvalidDataException>()
            .With.Message.Contains("no FLAC or WAV file"));
        Assert.That(() => AudioFolders.Load([Path.Combine(folder.Path, "none")], Fail),
            Throws.TypeOf<FileNotFoundException>());
    }

    private static BadSamples Fail => new(BadSamplePolicy.Fail);

    private static string Shard(TemporaryFolder folder, string name, string[] keys)
    {
        var path = Path.Combine(folder.Path, name);
        using var writer = new TarWriter(File.Create(path));
        foreach (var key in keys)
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, key + ".txt")
            {
                DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes($"text of {key}\n")),
            });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, key + ".wav")
            {
                DataStream = new MemoryStream(WavBytes.Pcm16(8000, 1, new short[100])),
            });
        }
        return path;
    }
}
