namespace Data2Vec.Models.Data;

/// <summary>A piece of sound with one channel.</summary>
/// <param name="Samples">Amplitudes, usually within -1 and 1; always finite when read from a file.</param>
/// <param name="SampleRate">Samples per second, positive.</param>
public sealed record AudioClip(float[] Samples, int SampleRate)
{
    /// <summary>Length in seconds.</summary>
    public double Seconds => (double)Samples.Length / SampleRate;
}

/// <summary>What an audio file says about its samples.</summary>
/// <param name="SampleRate">Samples per second of one channel.</param>
/// <param name="Channels">Interleaved channels.</param>
/// <param name="Bits">Significant bits of a sample.</param>
/// <param name="IsFloat">IEEE floating point instead of integers.</param>
public sealed record AudioFormat(int SampleRate, int Channels, int Bits, bool IsFloat);

/// <summary>What the head of an audio file promises.</summary>
/// <param name="Format">Kind of the samples.</param>
/// <param name="Length">Samples of one channel.</param>
public sealed record AudioHeader(AudioFormat Format, long Length);

/// <summary>The samples of a file as they were stored, before any mixing.</summary>
public sealed class StoredAudio
{
    internal StoredAudio(AudioFormat format, int[]? integers, double[]? floats)
    {
        Format = format;
        Integers = integers;
        Floats = floats;
    }

    /// <summary>What the file says about them.</summary>
    public AudioFormat Format { get; }

    /// <summary>
    /// [samples, channels] integers between -2^(bits-1) and 2^(bits-1) - 1 (unsigned 8-bit files minus 128); null for
    /// floating point.
    /// </summary>
    public int[]? Integers { get; }

    /// <summary>[samples, channels] floating-point values as stored; null for integers.</summary>
    public double[]? Floats { get; }

    /// <summary>Samples of one channel.</summary>
    public int Length => (Integers?.Length ?? Floats!.Length) / Format.Channels;

    /// <summary>
    /// One channel: the arithmetic mean of all, with an integer v standing for v / 2^(bits-1); in double, rounded once.
    /// </summary>
    public float[] Mono()
    {
        var (channels, mono) = (Format.Channels, new float[Length]);
        var scale = 1.0 / ((1L << (Format.Bits - 1)) * channels);
        for (var i = 0; i < mono.Length; i++)
        {
            if (Integers is not null)
            {
                long sum = 0;
                foreach (var v in Integers.AsSpan(i * channels, channels)) sum += v;
                mono[i] = (float)(sum * scale);
            }
            else
            {
                var sum = 0.0;
                foreach (var v in Floats!.AsSpan(i * channels, channels)) sum += v;
                mono[i] = (float)(sum / channels);
            }
        }
        return mono;
    }
}
