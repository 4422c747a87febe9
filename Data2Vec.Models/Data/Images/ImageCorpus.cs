using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Data2Vec.Models.Data;

/// <summary>One picture of a corpus, not read yet.</summary>
/// <param name="File">Where its bytes lie.</param>
/// <param name="Label">Number of its class in <see cref="ImageCorpus.Classes"/>; -1 where pictures have none.</param>
/// <param name="HeldOut">True: kept away from training, for probes.</param>
public sealed record ImageSample(SampleFile File, int Label, bool HeldOut)
{
    /// <summary>Path below the data folder, or shard/member.</summary>
    public string Name => File.Name;
}

/// <summary>
/// Pictures in files, with a held-out part, perhaps classes, and a digest. Pixels are read when asked for.
/// </summary>
public sealed class ImageCorpus
{
    internal ImageCorpus(string name, IReadOnlyList<ImageSample> samples, IReadOnlyList<string> classes)
    {
        Name = name;
        Samples = samples;
        Classes = classes;
        Training = [.. samples.Where(s => !s.HeldOut)];
        HeldOut = [.. samples.Where(s => s.HeldOut)];
        Digest = Hash(samples, classes);
    }

    /// <summary>One line on where the pictures come from.</summary>
    public string Name { get; }

    /// <summary>Every picture, in an order that does not depend on the file system.</summary>
    public IReadOnlyList<ImageSample> Samples { get; }

    /// <summary>The pictures to train on.</summary>
    public IReadOnlyList<ImageSample> Training { get; }

    /// <summary>The pictures kept for probes.</summary>
    public IReadOnlyList<ImageSample> HeldOut { get; }

    /// <summary>Names of the classes, ordered; empty where pictures have none.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>
    /// SHA-256, in hexadecimal, of names, lengths, classes and split. The pictures themselves are not read for it: a
    /// large collection would take hours.
    /// </summary>
    public string Digest { get; }

    /// <summary>Reads a picture. Safe for several threads.</summary>
    /// <exception cref="InvalidDataException">It is no whole picture; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RgbImage Read(ImageSample sample, ImageReadOptions? options = null) =>
        ImageFile.Decode(sample.File.Read(), sample.Name, options);

    /// <summary>Pictures by number, under a policy for bad ones.</summary>
    /// <param name="samples">Samples of a corpus.</param>
    /// <param name="bad">Policy and record.</param>
    /// <param name="options">How pictures are read.</param>
    /// <exception cref="ArgumentException">There is no sample.</exception>
    public static SampleReader<RgbImage> Reader(
        IReadOnlyList<ImageSample> samples, BadSamples bad, ImageReadOptions? options = null) =>
        new(samples.Count, i => samples[i].Name, i => Read(samples[i], options), bad);

    private static string Hash(IReadOnlyList<ImageSample> samples, IReadOnlyList<string> classes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> head = stackalloc byte[16];
        foreach (var sample in samples)
        {
            var label = sample.Label < 0 ? "" : classes[sample.Label];
            var text = Encoding.UTF8.GetBytes($"{sample.Name}\n{label}");
            BinaryPrimitives.WriteInt64LittleEndian(head, sample.File.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], text.Length);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], sample.HeldOut ? 1 : 0);
            hash.AppendData(head);
            hash.AppendData(text);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
