using System.Security.Cryptography;
using System.Text.Json;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models.Data;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// The cases of the audio suite that are files: sound ones sample by sample, damaged ones by how they end.
/// </summary>
internal sealed class AudioFileChecks(string folder, JsonElement manifest, RecordedTensors tensors)
{
    public IEnumerable<Difference> Wav(JsonElement item)
    {
        var (path, stored) = Stored(item);
        foreach (var difference in Format(item, stored.Format, stored.Length)) yield return difference;
        yield return Agrees("float", stored.Format.IsFloat, item.GetProperty("float").GetBoolean());
        var names = item.GetProperty("tensors");
        var recorded = tensors["wav.safetensors"];
        yield return Comparison.Compare("samples", Samples(stored), recorded.ReadDoubles(names[0].GetString()!),
            Tolerance.Exact);
        var clip = AudioFile.Read(path);
        yield return Agrees("rate of the clip", clip.SampleRate, stored.Format.SampleRate);
        yield return WithinOneStep("mono", clip.Samples, recorded.Read<float>(names[1].GetString()!));
    }

    public IEnumerable<Difference> Flac(JsonElement item)
    {
        var (_, stored) = Stored(item);
        foreach (var difference in Format(item, stored.Format, stored.Length)) yield return difference;
        var md5 = item.GetProperty("pcm_md5").GetString()!;
        yield return Agrees("MD5", Md5(stored.Integers!, stored.Format.Bits), md5);
        var expected = Recorded(item.GetProperty("tensor").GetString()!, stored.Format, md5);
        yield return Comparison.Compare("samples", Samples(stored), Array.ConvertAll(expected, v => (double)v),
            Tolerance.Exact);
    }

    /// <summary>Refused in one sentence, or read as libsndfile reads it.</summary>
    public IEnumerable<Difference> BrokenWav(JsonElement item)
    {
        var recorded = item.GetProperty("libsndfile");
        return Broken(item, stored =>
        {
            if (recorded.ValueKind == JsonValueKind.String)
                return [Accepted($"libsndfile refuses it: {recorded.GetString()}")];
            return
            [
                Agrees("rate", stored.Format.SampleRate, recorded.GetProperty("rate").GetInt32()),
                Agrees("channels", stored.Format.Channels, recorded.GetProperty("channels").GetInt32()),
                Agrees("samples", stored.Length, recorded.GetProperty("samples").GetInt32()),
            ];
        });
    }

    /// <summary>Refused in one sentence; or read as before the damage where the flac tool does that.</summary>
    public IEnumerable<Difference> BrokenFlac(JsonElement item)
    {
        var tool = item.GetProperty("flac_tool").GetString()!;
        return Broken(item, stored =>
        {
            if (tool != "decodes, unchanged PCM") return [Accepted($"flac says: {tool}")];
            var from = item.GetProperty("from").GetString();
            var whole = manifest.GetProperty("flac").EnumerateArray()
                .First(c => c.GetProperty("name").GetString() == from).GetProperty("pcm_md5").GetString();
            return [Agrees("MD5", Md5(stored.Integers!, stored.Format.Bits), whole)];
        });
    }

    private IEnumerable<Difference> Broken(JsonElement item, Func<StoredAudio, IEnumerable<Difference>> accepted)
    {
        var path = Path.Combine(folder, item.GetProperty("file").GetString()!);
        var bytes = File.ReadAllBytes(path);
        StoredAudio stored;
        try
        {
            AudioFile.Read(path);
            stored = AudioFile.ReadStored(bytes, path);
        }
        catch (InvalidDataException refusal)
        {
            return [Sentence(refusal.Message, path, bytes.Length)];
        }
        return accepted(stored);
    }

    /// <summary>"path: byte N: what is wrong.", on one line, with a byte of the file or its end.</summary>
    private static Difference Sentence(string message, string path, int length)
    {
        var head = path + ": byte ";
        var good = message.StartsWith(head, StringComparison.Ordinal) && message.EndsWith('.')
            && !message.AsSpan().ContainsAny('\r', '\n')
            && message.IndexOf(": ", head.Length, StringComparison.Ordinal) is var colon and > 0
            && int.TryParse(message.AsSpan(head.Length, colon - head.Length), out var at) && at >= 0 && at <= length;
        return good
            ? new Difference("refusal", 0, 0)
            : new Difference("refusal", double.PositiveInfinity, 0, $"no sentence with file and byte: {message}");
    }

    private (string Path, StoredAudio Stored) Stored(JsonElement item)
    {
        var path = Path.Combine(folder, item.GetProperty("file").GetString()!);
        return (path, AudioFile.ReadStored(File.ReadAllBytes(path), path));
    }

    private static IEnumerable<Difference> Format(JsonElement item, AudioFormat format, int length)
    {
        yield return Agrees("rate", format.SampleRate, item.GetProperty("rate").GetInt32());
        yield return Agrees("bits", format.Bits, item.GetProperty("bits").GetInt32());
        yield return Agrees("channels", format.Channels, item.GetProperty("channels").GetInt32());
        yield return Agrees("samples", length, item.GetProperty("samples").GetInt32());
    }

    private static double[] Samples(StoredAudio stored) =>
        stored.Floats ?? Array.ConvertAll(stored.Integers!, v => (double)v);

    /// <summary>
    /// A recorded tensor [samples, channels]. Those of several channels were written column by column whatever their
    /// shape says; the recorded MD5 of the interleaved samples tells which order the numbers are in.
    /// </summary>
    private int[] Recorded(string name, AudioFormat format, string md5)
    {
        var values = tensors["flac.safetensors"].Read<int>(name);
        if (format.Channels == 1 || Md5(values, format.Bits) == md5) return values;
        var length = values.Length / format.Channels;
        var turned = new int[values.Length];
        for (var i = 0; i < values.Length; i++) turned[i % length * format.Channels + i / length] = values[i];
        return turned;
    }

    private static string Md5(int[] samples, int bits)
    {
        var size = (bits + 7) / 8;
        var bytes = new byte[samples.Length * size];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(samples[i / size] >> (8 * (i % size)));
        return Convert.ToHexStringLower(MD5.HashData(bytes));
    }

    /// <summary>At most one step of float32 apart.</summary>
    private static Difference WithinOneStep(string name, float[] got, float[] expected)
    {
        if (got.Length != expected.Length) return Agrees(name + " length", got.Length, expected.Length);
        var worst = 0.0;
        for (var i = 0; i < got.Length; i++)
            worst = Math.Max(worst, Math.Abs((double)Ordered(got[i]) - Ordered(expected[i])));
        return new Difference(name, worst, 1);
    }

    /// <summary>Neighbouring floats become neighbouring integers.</summary>
    private static int Ordered(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        return bits < 0 ? int.MinValue - bits : bits;
    }

    private static Difference Agrees<T>(string what, T got, T expected) => Equals(got, expected)
        ? new Difference(what, 0, 0)
        : new Difference(what, double.PositiveInfinity, 0, $"is {got}, expected {expected}");

    private static Difference Accepted(string why) =>
        new("refusal", double.PositiveInfinity, 0, $"accepted, but {why}");
}
