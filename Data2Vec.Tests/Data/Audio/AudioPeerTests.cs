using System.Diagnostics;
using Data2Vec.Models.Data;
using NUnit.Framework;

namespace Data2Vec.Tests.Data.Audio;

/// <summary>The same samples as other decoders give, where those are installed.</summary>
public sealed class AudioPeerTests
{
    [Test]
    public void The_flac_tool_decodes_the_same_bytes()
    {
        Require("flac", "--version");
        using var folder = new TemporaryFolder();
        var raw = Path.Combine(folder.Path, "out.raw");
        var compared = 0;
        foreach (var path in AudioFixtures.Sound().Where(p => p.EndsWith(".flac", StringComparison.Ordinal)))
        {
            var stored = AudioFile.ReadStored(File.ReadAllBytes(path), path);
            if (stored.Format.Bits % 8 != 0) continue;
            Run("flac", "-d", "-s", "-f", "--force-raw-format", "--endian=little", "--sign=signed", "-o", raw, path);
            var size = stored.Format.Bits / 8;
            var ours = stored.Integers!.SelectMany(v => BitConverter.GetBytes(v).Take(size)).ToArray();
            Assert.That(File.ReadAllBytes(raw).AsSpan().SequenceEqual(ours), path);
            compared++;
        }
        Assert.That(compared, Is.GreaterThan(20));
    }

    [Test]
    public void The_flac_tool_writes_what_we_read()
    {
        Require("flac", "--version");
        using var folder = new TemporaryFolder();
        var random = new Random(4);
        foreach (var (bits, channels) in new[] { (8, 1), (16, 2), (24, 2), (16, 5), (24, 1) })
        {
            var top = 1 << (bits - 1);
            var samples = Enumerable.Range(0, 20_000 * channels)
                .Select(i => (int)(top * 0.4 * (Math.Sin(i / channels * 0.03) + random.NextDouble() - 0.5))).ToArray();
            var raw = Path.Combine(folder.Path, "in.raw");
            var flac = Path.Combine(folder.Path, "out.flac");
            File.WriteAllBytes(raw, [.. samples.SelectMany(v => BitConverter.GetBytes(v).Take(bits / 8))]);
            foreach (var level in new[] { "-0", "-5", "-8" })
            {
                Run("flac", level, "-s", "-f", "--force-raw-format", "--endian=little", "--sign=signed",
                    $"--channels={channels}", $"--bps={bits}", "--sample-rate=16000", "-o", flac, raw);
                Assert.That(AudioFile.ReadStored(File.ReadAllBytes(flac), flac).Integers, Is.EqualTo(samples));
            }
        }
    }

    [Test]
    public void Libsndfile_reads_the_same_samples()
    {
        Require("sndfile-convert", "--version");
        using var folder = new TemporaryFolder();
        var target = Path.Combine(folder.Path, "out.wav");
        var compared = 0;
        foreach (var path in AudioFixtures.Sound())
        {
            var stored = AudioFile.ReadStored(File.ReadAllBytes(path), path);
            var known = stored.Format.IsFloat || stored.Format.Bits is 8 or 16 or 24;
            if (!known || Path.GetFileName(path) is "own_unknown_length.flac") continue;
            Run("sndfile-convert", stored.Format.IsFloat ? "-float64" : "-pcm32", path, target);
            var theirs = AudioFile.ReadStored(File.ReadAllBytes(target), target);
            if (stored.Format.IsFloat) Assert.That(theirs.Floats, Is.EqualTo(stored.Floats), path);
            else Assert.That(theirs.Integers,
                Is.EqualTo(stored.Integers!.Select(v => v << (32 - stored.Format.Bits))), path);
            compared++;
        }
        Assert.That(compared, Is.GreaterThan(20));
    }

    private static void Require(string program, string argument)
    {
        try
        {
            Run(program, argument);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore($"{program} is not installed: nothing to compare with");
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (arguments.Length > 1) Assert.That(process.ExitCode, Is.Zero, errors.Result);
    }
}
