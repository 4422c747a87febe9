using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>
/// What this machine can do at best: multiply-adds in registers, and copies of every size. A kernel's speed is printed as a
/// per cent of one of them. <see cref="Measure"/> measures all of them before the first kernel runs; what is asked for
/// without that is measured then.
/// </summary>
internal sealed class Bounds(int threads) : IBounds
{
    private const double MeasuredSeconds = 0.15;

    private const int SmallestLog2 = 12, LargestLog2 = 28, StepLog2 = 2;

    private readonly Dictionary<int, double> copies = [];
    private double? flops;

    /// <summary>Measures everything now.</summary>
    public void Measure()
    {
        _ = GigaFlops;
        for (var log2 = SmallestLog2; log2 <= LargestLog2; log2 += StepLog2) GigaBytes(1L << log2);
    }

    /// <summary>Multiply-adds of float32 vectors in registers, on every thread, in GFLOP/s.</summary>
    public double GigaFlops => flops ??= Best(MeasureFlops);

    /// <summary>The same for every type: bfloat16 is widened.</summary>
    double IBounds.GigaFlops(DType type) => GigaFlops;

    /// <summary>The same again.</summary>
    double IBounds.ProductGigaFlops(DType type) => GigaFlops;

    /// <summary>
    /// Copies whose source and target together have about this many bytes, on every thread, in GB/s (read and written
    /// bytes both counted): small ones stay in a cache, as a small operation does.
    /// </summary>
    public double GigaBytes(long bytes)
    {
        // Every second power of two: 4 KB, 16 KB, ..., 256 MB; the next one up, so that a cache that holds it is meant.
        var log2 = Math.Clamp(BitOperations.Log2((ulong)Math.Max(1, bytes - 1)) + 1, SmallestLog2, LargestLog2);
        log2 = (log2 + StepLog2 - 1) / StepLog2 * StepLog2;
        if (!copies.TryGetValue(log2, out var speed))
            copies[log2] = speed = Best(() => MeasureCopy(1 << log2));
        return speed;
    }

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"bounds: {GigaFlops:0} GFLOP/s multiply-adds, copies {GigaBytes(1 << 14):0} GB/s in 16 KB, {GigaBytes(1 << 20):0} GB/s in 1 MB, {GigaBytes(1 << 28):0} GB/s in 256 MB ({threads} threads)");

    /// <summary>The best of several: on a shared machine only the best is near the bound.</summary>
    private static double Best(Func<double> measure) => Enumerable.Range(0, 3).Max(_ => measure());

    private double MeasureFlops()
    {
        FlopsOf(20_000);
        long rounds = 100_000;
        while (true)
        {
            var seconds = OnEveryThread(_ => FlopsOf(rounds));
            if (seconds >= MeasuredSeconds) return threads * FlopsOf(0) * rounds / seconds / 1e9;
            rounds = (long)(rounds * Math.Max(1.5, 1.2 * MeasuredSeconds / Math.Max(seconds, 1e-6)));
        }
    }

    /// <summary>Flops of one round; runs that many rounds.</summary>
    private static double FlopsOf(long rounds) =>
        Vector512.IsHardwareAccelerated ? Multiply512(rounds) : Vector256.IsHardwareAccelerated ? Multiply256(rounds) : Multiply128(rounds);

    private double MeasureCopy(int bytes)
    {
        var half = Math.Max(64, bytes / 2 / threads);
        var buffers = Enumerable.Range(0, threads).Select(_ => (From: new byte[half], To: new byte[half])).ToArray();
        foreach (var (from, to) in buffers) from.AsSpan().CopyTo(to);
        long rounds = Math.Max(1, 1_000_000 / half);
        while (true)
        {
            var seconds = OnEveryThread(t =>
            {
                for (long i = 0; i < rounds; i++) buffers[t].From.AsSpan().CopyTo(buffers[t].To);
            });
            if (seconds >= MeasuredSeconds / 3) return 2.0 * half * threads * rounds / seconds / 1e9;
            rounds = (long)(rounds * Math.Max(1.5, 0.4 * MeasuredSeconds / Math.Max(seconds, 1e-6))) + 1;
        }
    }

    private double OnEveryThread(Action<int> work)
    {
        using var start = new Barrier(threads);
        var workers = Enumerable.Range(1, threads - 1).Select(t => new Thread(() =>
        {
            start.SignalAndWait();
            work(t);
        })).ToArray();
        foreach (var worker in workers) worker.Start();
        start.SignalAndWait();
        var watch = Stopwatch.StartNew();
        work(0);
        foreach (var worker in workers) worker.Join();
        return watch.Elapsed.TotalSeconds;
    }

    // Twelve independent sums hide the latency of a multiply-add; written out, so that they stay in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Multiply512(long rounds)
    {
        var (x, y) = (Vector512.Create(0.9999f), Vector512.Create(1e-6f));
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (long r = 0; r < rounds; r++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y); b = Vector512.FusedMultiplyAdd(b, x, y); c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y); e = Vector512.FusedMultiplyAdd(e, x, y); f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y); h = Vector512.FusedMultiplyAdd(h, x, y); i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y); k = Vector512.FusedMultiplyAdd(k, x, y); l = Vector512.FusedMultiplyAdd(l, x, y);
        }
        Keep(Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l));
        return 12 * 16 * 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Multiply256(long rounds)
    {
        var (x, y) = (Vector256.Create(0.9999f), Vector256.Create(1e-6f));
        Vector256<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (long r = 0; r < rounds; r++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y); b = Vector256.FusedMultiplyAdd(b, x, y); c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y); e = Vector256.FusedMultiplyAdd(e, x, y); f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y); h = Vector256.FusedMultiplyAdd(h, x, y); i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y); k = Vector256.FusedMultiplyAdd(k, x, y); l = Vector256.FusedMultiplyAdd(l, x, y);
        }
        Keep(Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l));
        return 12 * 8 * 2;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Multiply128(long rounds)
    {
        var (x, y) = (Vector128.Create(0.9999f), Vector128.Create(1e-6f));
        Vector128<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (long r = 0; r < rounds; r++)
        {
            a = a * x + y; b = b * x + y; c = c * x + y; d = d * x + y; e = e * x + y; f = f * x + y;
            g = g * x + y; h = h * x + y; i = i * x + y; j = j * x + y; k = k * x + y; l = l * x + y;
        }
        Keep(Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l));
        return 12 * 4 * 2;
    }

    /// <summary>Makes the result look needed; it is never a NaN.</summary>
    private static void Keep(float value)
    {
        if (float.IsNaN(value)) throw new InvalidOperationException("The sum of the multiply-adds is not a number.");
    }
}
