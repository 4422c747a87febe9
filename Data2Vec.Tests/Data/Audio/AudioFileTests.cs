using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

public sealed class AudioFileTests
{
    [Test]
    public void The_content_decides_what_a_file_is_and_not_its_name()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "wave.flac");
        File.WriteAllBytes(path, WavBytes.Pcm16(8000, 2, 16384, 0, -16384, -16384));
        var clip = AudioFile.Read(path);
        Assert.That(clip.SampleRate, Is.EqualTo(8000));
        Assert.That(clip.Samples, Is.EqualTo(new[] { 0.25f, -0.5f }));
        Assert.That(clip.Seconds, Is.EqualTo(2 / 8000.0));
    }

    [TestCase("", "byte 0: the file is empty")]
    [TestCase("OggS and more", "byte 0: the file begins with \"OggS\"; expected RIFF or RF64 (WAV) or fLaC (FLAC).")]
    [TestCase("\u0001\u0002", "begins with \"\\x01\\x02\"")]
    [TestCase("ID3 is all that there is", "begins with \"ID3 \"")]
    public void Another_file_is_refused_by_what_it_begins_with(string text, string expected) =>
        Assert.That(() => AudioFile.Read(System.Text.Encoding.ASCII.GetBytes(text), "f"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(expected));

    private static IEnumerable<TestCaseData> BadWaves()
    {
        var data = WavBytes.Chunk("data", new byte[8]);
        byte[] Extensible(int valid, byte guid) => WavBytes.Chunk("fmt ",
            [.. WavBytes.Format(0xFFFE, 1, 16000, 16).AsSpan(8).ToArray(), 22, 0, (byte)valid, 0, 0, 0, 0, 0, 1, 0,
                0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, guid]);
        TestCaseData Case(string expected, params byte[][] chunks) =>
            new TestCaseData(WavBytes.File(chunks), expected).SetArgDisplayNames(expected);
        yield return Case("byte 12: the data chunk comes before a fmt chunk", data, WavBytes.Format(1, 1, 16000, 16));
        yield return Case("byte 36: the data chunk has 7 bytes, no multiple", WavBytes.Format(1, 1, 16000, 16),
            WavBytes.Chunk("data", new byte[7]));
        yield return Case("byte 44: the file holds no samples", WavBytes.Format(1, 1, 16000, 16),
            WavBytes.Chunk("data", []));
        yield return Case("byte 20: the fmt chunk has 14 bytes", WavBytes.Chunk("fmt ", new byte[14]), data);
        yield return Case("IEEE float; expected 32 or 64", WavBytes.Format(3, 1, 16000, 16), data);
        yield return Case("samples of 17 bits in 16", Extensible(17, 0x71), data);
        yield return Case("a GUID that stands for no format tag", Extensible(16, 0x72), data);
        yield return Case("byte 36: the ds64 chunk has 8 bytes", WavBytes.Format(1, 1, 16000, 16),
            WavBytes.Chunk("ds64", new byte[8]), data);
        yield return Case("byte 68: the data chunk says that it has -1 bytes", WavBytes.Format(1, 1, 16000, 16),
            WavBytes.Chunk("ds64", [.. new byte[8], .. BitConverter.GetBytes(-1L), .. new byte[8]]),
            WavBytes.Chunk("data", new byte[8], 0xFFFF_FFFF));
    }

    [TestCaseSource(nameof(BadWaves))]
    public void A_damaged_wave_is_refused_with_the_byte(byte[] bytes, string expected) =>
        Assert.That(() => AudioFile.Read(bytes, "f.wav"), Throws.TypeOf<InvalidDataException>()
            .With.Message.StartsWith("f.wav: byte ").And.Message.Contains(expected));

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void A_sample_that_is_not_finite_is_refused_where_it_lies(float value) =>
        Assert.That(() => AudioFile.Read(WavBytes.Float(16000, 0.5f, 2, value, 0), "f"),
            Throws.TypeOf<InvalidDataException>().With.Message.EqualTo("f: byte 52: sample 2 is not a finite number."));

    [Test]
    public void Values_beyond_one_are_kept() =>
        Assert.That(AudioFile.Read(WavBytes.Float(16000, 2.5f, -3), "f").Samples, Is.EqualTo(new[] { 2.5f, -3 }));

    [Test]
    public void The_head_of_a_file_tells_its_length_and_format()
    {
        foreach (var path in AudioFixtures.Sound())
        {
            var bytes = File.ReadAllBytes(path);
            var stored = AudioFile.ReadStored(bytes, path);
            foreach (var size in new[] { 64, 4096 })
            {
                var header = AudioFile.ReadHeader(
                    SampleFile.Whole(path, path), bytes.AsSpan(0, Math.Min(bytes.Length, size)));
                Assert.That(header, Is.EqualTo(new AudioHeader(stored.Format, stored.Length)), path);
            }
        }
    }

    [TestCase(8)]
    [TestCase(9)]
    [TestCase(10)]
    public void Stereo_of_32_bits_has_differences_of_33(int code)
    {
        int[] left = [int.MaxValue, int.MinValue, 5, -7], right = [int.MinValue, int.MaxValue, -6, -8];
        var side = left.Zip(right, (l, r) => (long)l - r).ToArray();
        var mid = left.Zip(right, (l, r) => ((long)l + r) >> 1).ToArray();
        long[] l = [.. left.Select(v => (long)v)], r = [.. right.Select(v => (long)v)];
        long[][] columns = code switch { 8 => [l, side], 9 => [side, r], _ => [mid, side] };
        var expected = left.Zip(right, (a, b) => new[] { a, b }).SelectMany(p => p).ToArray();
        var file = new FlacBytes
        {
            Bits = 32, Channels = 2, ChannelCode = code, Block = 4, Total = 4, Md5 = FlacBytes.Md5Of(expected, 4),
            Frames = [columns],
        };
        Assert.That(AudioFile.ReadStored(file.Write(), "f").Integers, Is.EqualTo(expected));
    }

    [Test]
    public void A_difference_that_leaves_no_sample_is_refused()
    {
        var file = new FlacBytes { Channels = 2, ChannelCode = 8, Block = 2, Frames = [[[30000, 0], [-40000, 0]]] };
        Assert.That(() => AudioFile.Read(file.Write(), "f"),
            Throws.TypeOf<InvalidDataException>()
                .With.Message.Contains("sample 0 of the frame does not fit into 16 bits"));
    }

    [Test]
    public void Silence_that_unpacks_without_end_is_refused_before_memory_is_taken()
    {
        var silent = Enumerable.Range(0, 8).Select(_ => new long[] { 0 }).ToArray();
        var file = new FlacBytes
        {
            Channels = 8, Block = 65535, Frames = [.. Enumerable.Repeat(silent, 100)],
        }.Write();
        Assert.That(file, Has.Length.LessThan(4500));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => AudioFile.Read(file, "f"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("too many for its size"));
        // 2^24 values of four bytes, and as much again while the array grew.
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(150L << 20));
    }

    [Test]
    public void A_declared_length_takes_no_memory()
    {
        var file = new FlacBytes { Total = (1L << 36) - 1, Frames = [[[1]]] }.Write();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => AudioFile.Read(file, "f"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("ends after 256 samples"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    [TestCase(1, "expected 1")]
    [TestCase(2, "expected 2")]
    public void A_frame_out_of_order_is_refused(int gap, string expected)
    {
        var frames = new FlacBytes { Block = 4, Frames = [[[1]], [[2]], [[3]], [[4]]] }.Write();
        const int frame = 13;
        var cut = frames[..(42 + gap * frame)].Concat(frames[(42 + (gap + 1) * frame)..]).ToArray();
        Assert.That(frames, Has.Length.EqualTo(42 + 4 * frame));
        Assert.That(AudioFile.Read(frames, "f").Samples, Has.Length.EqualTo(16));
        Assert.That(() => AudioFile.Read(cut, "f"), Throws.TypeOf<InvalidDataException>()
            .With.Message.EqualTo($"f: byte {42 + gap * frame}: the frame has number {gap + 1}; {expected}."));
    }
}
