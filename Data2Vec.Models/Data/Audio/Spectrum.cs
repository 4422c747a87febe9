using System.Numerics;

namespace Data2Vec.Models.Data;

/// <summary>The magnitude spectrum of real frames of one length, in double. Not for several threads.</summary>
internal sealed class Spectrum
{
    private readonly int size;
    private readonly Complex[] roots;
    private readonly Complex[] work;

    /// <param name="size">Length of the transform, at least 2; fast for powers of two.</param>
    public Spectrum(int size)
    {
        this.size = size;
        roots = new Complex[size];
        work = new Complex[size];
        for (var i = 0; i < size; i++) roots[i] = Complex.FromPolarCoordinates(1, -2 * Math.PI * i / size);
    }

    /// <summary>Numbers of <see cref="Power"/>: 0 to half the size.</summary>
    public int Bins => size / 2 + 1;

    /// <summary>|X[k]|^2 of a frame that is cut or filled up with zeros to the size.</summary>
    public void Power(ReadOnlySpan<double> frame, Span<double> power)
    {
        frame = frame[..Math.Min(frame.Length, size)];
        if (BitOperations.IsPow2(size)) Fast(frame);
        else Slow(frame);
        for (var k = 0; k < Bins; k++)
            power[k] = work[k].Real * work[k].Real + work[k].Imaginary * work[k].Imaginary;
    }

    /// <summary>Cooley and Tukey with radix 2: bit reversal, then butterflies of growing span.</summary>
    private void Fast(ReadOnlySpan<double> frame)
    {
        var bits = BitOperations.Log2((uint)size);
        for (var i = 0; i < size; i++)
        {
            var reversed = 0;
            for (var b = 0; b < bits; b++) reversed |= (i >> b & 1) << (bits - 1 - b);
            work[i] = reversed < frame.Length ? frame[reversed] : 0;
        }
        for (var span = 1; span < size; span *= 2)
            for (var start = 0; start < size; start += 2 * span)
                for (var i = 0; i < span; i++)
                {
                    var a = work[start + i];
                    var b = work[start + i + span] * roots[i * (size / (2 * span))];
                    work[start + i] = a + b;
                    work[start + i + span] = a - b;
                }
    }

    private void Slow(ReadOnlySpan<double> frame)
    {
        for (var k = 0; k < Bins; k++)
        {
            var sum = Complex.Zero;
            for (var i = 0; i < frame.Length; i++) sum += frame[i] * roots[(int)((long)i * k % size)];
            work[k] = sum;
        }
    }
}

/// <summary>The discrete cosine transform of type II with orthonormal rows.</summary>
internal static class CosineTransform
{
    /// <summary>y[k] = s[k] sum over n of x[n] cos(pi k (2 n + 1) / (2 N)), s[0] = sqrt(1/N), else sqrt(2/N).</summary>
    public static void Apply(ReadOnlySpan<double> x, Span<double> y)
    {
        for (var k = 0; k < y.Length; k++)
        {
            var sum = 0.0;
            for (var n = 0; n < x.Length; n++) sum += x[n] * Math.Cos(Math.PI * k * (2 * n + 1) / (2 * x.Length));
            y[k] = sum * Math.Sqrt((k == 0 ? 1.0 : 2.0) / x.Length);
        }
    }

    /// <summary>The lifter of HTK: c[k] (1 + L/2 sin(pi k / L)); 0 leaves it out.</summary>
    public static void Lift(Span<double> cepstrum, double lifter)
    {
        if (lifter == 0) return;
        for (var k = 0; k < cepstrum.Length; k++) cepstrum[k] *= 1 + lifter / 2 * Math.Sin(Math.PI * k / lifter);
    }
}
