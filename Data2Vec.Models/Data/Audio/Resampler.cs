using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Data2Vec.Models.Data;

/// <summary>
/// Changes the sample rate by a windowed-sinc filter: flat up to 0.45 of the lower rate, more than 110 dB down from
/// half of it on. Without delay: sample 0 of input and output coincide.
/// </summary>
/// <remarks>
/// y[i] = sum over j of x[j] h(i from / to - j), h(t) = r sinc(r t) Kaiser(t), r = 0.95 min(1, to / from), 80 samples
/// of the lower rate to each side, each set of taps scaled to the sum 1. Beyond its ends the input is silent. The
/// design is Kaiser's (Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd edition, section 7.6). Sums run in
/// float32 in one order on every machine.
/// </remarks>
public sealed class Resampler
{
    private const double HalfWidth = 80;
    private const double Cutoff = 0.95;
    // 120 dB: 0.1102 (A - 8.7).
    private const double Beta = 12.265;
    internal const int MostIncrease = 16;
    // Sets of taps are kept up to this many numbers; rates that need more have them computed each time.
    private const long MostKept = 1 << 24;

    private static readonly ConcurrentDictionary<(int, int), Resampler> Made = new();

    private readonly int up, down, reach, taps;
    private readonly double ratio;
    private readonly float[]?[]? kept;

    private Resampler(int from, int to)
    {
        var divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(from, to);
        (up, down) = (to / divisor, from / divisor);
        ratio = Math.Min(1, (double)to / from);
        reach = (int)Math.Ceiling(HalfWidth / ratio);
        taps = (2 * reach + Vector256<float>.Count - 1) / Vector256<float>.Count * Vector256<float>.Count;
        if ((long)up * taps <= MostKept) kept = new float[up][];
    }

    /// <summary>The filter between two rates; one object serves all threads.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A rate is not positive, or the new one is over 16 times the
    /// old.</exception>
    public static Resampler Between(int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(from);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(to);
        if (to / MostIncrease > from)
            throw new ArgumentOutOfRangeException(nameof(to), to,
                $"A rate of {from} Hz is not raised to {to}; at most {MostIncrease} times the rate are made.");
        return Made.GetOrAdd((from, to), rates => new Resampler(rates.Item1, rates.Item2));
    }

    /// <summary>The clip at another rate; itself when it has that rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">As for <see cref="Between"/>.</exception>
    public static AudioClip Resample(AudioClip clip, int rate) => clip.SampleRate == rate
        ? clip
        : new AudioClip(Between(clip.SampleRate, rate).Apply(clip.Samples), rate);

    /// <summary>The samples at the new rate: ceil(n to / from) of them.</summary>
    /// <exception cref="ArgumentException">The result would not fit into one array.</exception>
    public float[] Apply(ReadOnlySpan<float> samples)
    {
        var length = ((long)samples.Length * up + down - 1) / down;
        if (length > Array.MaxLength || samples.Length > Array.MaxLength - 2L * taps)
            throw new ArgumentException($"{length} samples do not fit into memory at once.", nameof(samples));
        var padded = new float[samples.Length + 2 * taps];
        samples.CopyTo(padded.AsSpan(taps));
        var result = new float[length];
        var scratch = kept is null ? new float[taps] : [];
        for (long i = 0; i < length; i++)
        {
            var at = Math.DivRem(i * down, up, out var phase);
            // The taps reach from the sample `reach - 1` before the centre to the one `reach` after it.
            var window = padded.AsSpan((int)(at - (reach - 1) + taps), taps);
            result[i] = Dot(window, Row((int)phase, scratch));
        }
        return result;
    }

    private ReadOnlySpan<float> Row(int phase, float[] scratch)
    {
        if (kept is null)
        {
            Design(phase, scratch);
            return scratch;
        }
        if (Volatile.Read(ref kept[phase]) is { } row) return row;
        row = new float[taps];
        Design(phase, row);
        Volatile.Write(ref kept[phase], row);
        return row;
    }

    private void Design(int phase, float[] row)
    {
        Array.Clear(row);
        var fraction = (double)phase / up;
        var values = new double[2 * reach];
        for (var k = 0; k < values.Length; k++)
        {
            // Time from the output sample to the input sample, in samples of the lower rate.
            var t = (fraction + (reach - 1) - k) * ratio;
            var inside = 1 - t / HalfWidth * (t / HalfWidth);
            values[k] = inside < 0 ? 0 : Sinc(Cutoff * t) * BesselI0(Beta * Math.Sqrt(inside));
        }
        var sum = values.Sum();
        for (var k = 0; k < values.Length; k++) row[k] = (float)(values[k] / sum);
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    /// <summary>The modified Bessel function of order 0, by its power series.</summary>
    private static double BesselI0(double x)
    {
        double sum = 1, term = 1;
        for (var k = 1; term > 1e-17 * sum; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return sum;
    }

    /// <summary>The sum of products; the length is a multiple of eight.</summary>
    private static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        var a = MemoryMarshal.Cast<float, Vector256<float>>(x);
        var b = MemoryMarshal.Cast<float, Vector256<float>>(y);
        var sum = Vector256<float>.Zero;
        // No fused multiply-add: the same bits on processors without it.
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return Vector256.Sum(sum);
    }
}
