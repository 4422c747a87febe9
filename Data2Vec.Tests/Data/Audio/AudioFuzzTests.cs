using System.Diagnostics;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

/// <summary>Thousands of damaged copies of sound files, from a fixed seed.</summary>
public sealed class AudioFuzzTests
{
    private const int Tries = 30_000;
    private const int LargestFile = 6000;

    // A block of 65535 samples on 8 channels in 64 bits, and the file's own text and arrays.
    private const long Constant = 8 << 20;

    [Test]
    public void Damage_ends_in_one_sentence_and_takes_little_memory()
    {
        var files = AudioFixtures.Sound().Select(File.ReadAllBytes).Where(b => b.Length <= LargestFile).ToArray();
        Assert.That(files, Has.Length.GreaterThan(25));
        var random = new Random(20240607);
        var (refused, clock) = (0, Stopwatch.StartNew());
        for (var i = 0; i < Tries; i++)
        {
            var bytes = Damaged(files[random.Next(files.Length)], files, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                AudioFile.Read(bytes, "f");
            }
            catch (InvalidDataException error)
            {
                refused++;
                Assert.That(error.Message, Does.Match(@"^f: byte \d+: [^\r\n]+\.$"));
            }
            var taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.That(taken, Is.LessThan(Constant + 600L * bytes.Length), $"try {i}");
        }
        TestContext.Out.WriteLine($"{Tries} damaged files in {clock.Elapsed.TotalSeconds:F1} s, {refused} refused");
        Assert.That(refused, Is.InRange(Tries / 2, Tries - 1));
    }

    [Test]
    public void Every_cut_of_a_file_is_refused_or_as_long_as_it_says()
    {
        foreach (var path in AudioFixtures.Sound().Where(p => new FileInfo(p).Length <= 3000))
        {
            var bytes = File.ReadAllBytes(path);
            var whole = AudioFile.ReadStored(bytes, path);
            var stream = Path.GetFileName(path) is "streamed_size_max.wav" or "own_unknown_length.flac";
            var cuts = bytes.Length < 200 ? Enumerable.Range(0, bytes.Length) : Enumerable.Range(1, 60)
                .Select(i => bytes.Length - i * i * bytes.Length / 3700);
            foreach (var cut in cuts.Where(c => c < bytes.Length))
            {
                try
                {
                    var part = AudioFile.ReadStored(bytes[..cut], path);
                    Assert.That(stream || part.Length == whole.Length, $"{path} cut at {cut}");
                    var same = part.Integers is null
                        ? part.Floats!.SequenceEqual(whole.Floats!.Take(part.Floats!.Length))
                        : part.Integers.SequenceEqual(whole.Integers!.Take(part.Integers.Length));
                    Assert.That(same, $"{path} cut at {cut}");
                }
                catch (InvalidDataException)
                {
                    // What is hoped for.
                }
            }
        }
    }

    private static byte[] Damaged(byte[] file, byte[][] others, Random random)
    {
        var bytes = (byte[])file.Clone();
        var head = HeadEnd(bytes);
        switch (random.Next(5))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                // The end of another file behind the beginning of this one.
                var other = others[random.Next(others.Length)];
                return [.. bytes[..random.Next(bytes.Length)], .. other[random.Next(other.Length)..]];
            case 2:
                for (var n = random.Next(1, 4); n > 0; n--)
                    bytes[random.Next(Math.Min(60, bytes.Length))] ^= Mask(random);
                break;
            case 3 when head > 0:
                // A head of a frame that is wrong, but whose check sum is right.
                bytes[random.Next(44, head - 1)] ^= Mask(random);
                bytes[head - 1] = (byte)FlacBytes.Crc(bytes.AsSpan(42, head - 1 - 42), 0x07, 8);
                break;
            default:
                for (var n = random.Next(1, 6); n > 0; n--) bytes[random.Next(bytes.Length)] ^= Mask(random);
                break;
        }
        return bytes;
    }

    private static byte Mask(Random random) =>
        random.Next(2) == 0 ? (byte)(1 << random.Next(8)) : (byte)random.Next(1, 256);

    /// <summary>The end of the first frame's head where the file has nothing else before it; 0 otherwise.</summary>
    private static int HeadEnd(byte[] bytes)
    {
        if (!bytes.AsSpan().StartsWith("fLaC"u8) || (bytes[4] & 0x80) == 0) return 0;
        for (var end = 48; end < Math.Min(60, bytes.Length); end++)
            if (FlacBytes.Crc(bytes.AsSpan(42, end - 1 - 42), 0x07, 8) == bytes[end - 1]) return end;
        return 0;
    }
}
