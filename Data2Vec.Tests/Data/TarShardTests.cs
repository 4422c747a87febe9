using System.Formats.Tar;
using System.Text;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data;

public sealed class TarShardTests
{
    private static readonly string LongName = "deep/" + new string('n', 300) + ".flac";

    [TestCase(TarEntryFormat.Ustar)]
    [TestCase(TarEntryFormat.Pax)]
    [TestCase(TarEntryFormat.Gnu)]
    [TestCase(TarEntryFormat.V7)]
    public void Members_are_found_and_read_by_offset(TarEntryFormat format)
    {
        using var folder = new TemporaryFolder();
        var names = new List<string> { "a/one.flac", "a/one.txt", "a/one.left.png", "two.wav", "empty.txt" };
        if (format is TarEntryFormat.Pax or TarEntryFormat.Gnu) names.Add(LongName);
        var path = Write(folder, format, [.. names]);
        var members = TarShard.Members(path, "shard.tar", Fail);
        Assert.That(members.Select(m => m.Name), Is.EqualTo(names.Select(n => "shard.tar/" + n)));
        foreach (var (member, name) in members.Zip(names))
            Assert.That(Encoding.UTF8.GetString(member.Read()), Is.EqualTo(Content(name)), name);
        var samples = TarShard.Samples(members).ToArray();
        Assert.That(samples[0].Key, Is.EqualTo("shard.tar/a/one"));
        Assert.That(samples[0].Members.Select(m => m.Extension), Is.EqualTo(new[] { "flac", "txt", "left.png" }));
        Assert.That(samples, Has.Length.EqualTo(names.Count - 2));
    }

    [Test]
    public void Folders_and_links_are_no_samples_and_names_are_cleaned()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "s.tar");
        using (var writer = new TarWriter(File.Create(path)))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "d/"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "d/link.wav") { LinkName = "/etc/passwd" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "./d/x.wav")
            {
                DataStream = new MemoryStream([1, 2, 3]),
            });
        }
        var member = TarShard.Members(path, "s", Fail).Single();
        Assert.That(member.Name, Is.EqualTo("s/d/x.wav"));
        Assert.That(member.Read(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void A_cut_shard_fails_or_keeps_what_lies_before_the_cut()
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, TarEntryFormat.Ustar, "one.txt", "two.txt", "three.txt");
        using (var stream = File.OpenWrite(path)) stream.SetLength(512 * 5 + 3);
        Assert.That(() => TarShard.Members(path, "s", Fail),
            Throws.TypeOf<BadSampleException>().With.Message.Contains(path).And.Message.Contains("byte 2048"));
        var bad = new BadSamples(BadSamplePolicy.Skip);
        Assert.That(TarShard.Members(path, "s", bad).Select(m => m.Name),
            Is.EqualTo(new[] { "s/one.txt", "s/two.txt" }));
        Assert.That(bad.List.Single().Name, Is.EqualTo("s"));
    }

    [TestCase('L', "77777777777")]
    [TestCase('x', "17777777777")]
    [TestCase('x', "00007777777")]
    [TestCase('0', "77777777777")]
    public void A_declared_length_beyond_the_file_is_refused_before_memory_is_taken(char type, string size)
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, TarEntryFormat.Gnu, "one.txt", "two.txt");
        var bytes = File.ReadAllBytes(path);
        bytes[1024 + 156] = (byte)type;
        Encoding.ASCII.GetBytes(size).CopyTo(bytes, 1024 + 124);
        Sign(bytes.AsSpan(1024, 512));
        File.WriteAllBytes(path, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => TarShard.Members(path, "s", Fail),
            Throws.TypeOf<BadSampleException>().With.Message.Contains("byte 1024"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [Test]
    public void Any_damage_ends_in_one_sentence()
    {
        using var folder = new TemporaryFolder();
        var path = Write(folder, TarEntryFormat.Pax, "one.flac", "one.txt", LongName, "two.wav");
        var good = File.ReadAllBytes(path);
        var random = new Random(11);
        for (var i = 0; i < 400; i++)
        {
            var bytes = (byte[])good.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                var at = random.Next(bytes.Length);
                bytes[at] = (byte)random.Next(256);
                if (random.Next(2) == 0) Sign(bytes.AsSpan(at / 512 * 512, 512));
            }
            File.WriteAllBytes(path, bytes[..(random.Next(3) == 0 ? random.Next(bytes.Length) : bytes.Length)]);
            var bad = new BadSamples(BadSamplePolicy.Skip);
            foreach (var member in TarShard.Members(path, "s", bad)) member.Read();
            foreach (var b in bad.List) Assert.That(b.Reason, Does.StartWith(path));
        }
    }

    private static BadSamples Fail => new(BadSamplePolicy.Fail);

    private static string Content(string name) => name.StartsWith("empty", StringComparison.Ordinal)
        ? ""
        : string.Concat(Enumerable.Repeat($"content of {name}. ", name.Length % 40));

    private static string Write(TemporaryFolder folder, TarEntryFormat format, params string[] names)
    {
        var path = Path.Combine(folder.Path, "shard.tar");
        using var writer = new TarWriter(File.Create(path), format);
        foreach (var name in names)
        {
            TarEntry entry = format switch
            {
                TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
                TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                _ => new PaxTarEntry(TarEntryType.RegularFile, name),
            };
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(Content(name)));
            writer.WriteEntry(entry);
        }
        return path;
    }

    /// <summary>Makes the checksum of a header right again.</summary>
    private static void Sign(Span<byte> header)
    {
        if (header.Length < 512) return;
        header.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var b in header) sum += b;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[148..]);
    }
}
