using System.Runtime.InteropServices;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>What the catalogue of cases cannot say about attention on ILGPU: bfloat16, alignment, bits, limits.</summary>
public sealed class IlgpuAttentionTests
{
    private const int Batch = 2, Heads = 2, Queries = 18, Keys = 35, HeadSize = 20, Width = Heads * HeadSize;
    private const int OfQueries = Batch * Queries * Width, OfKeys = Batch * Keys * Width, OfBias = Heads * Queries * Keys;

    [Test]
    public void Bfloat16_operands_give_what_double_precision_gives_rounded_once()
    {
        using var device = IlgpuDevices.OpenCpu();
        using var reference = new ReferenceBackend();
        var actual = Run(device, DType.BFloat16, 0);
        // The gradients start from what forward kept: from the same output and sums, or its rounding would count again.
        var expected = Run(reference, DType.Float64, 0, actual);
        foreach (var (name, values) in expected)
        {
            var largest = values.Max(Math.Abs);
            // Half a step of bfloat16, and float32 sums over the keys.
            for (var i = 0; i < values.Length; i++)
            {
                var tolerance = Math.Abs(values[i]) * Math.ScaleB(1, -8) + Keys * largest * Math.ScaleB(1, -23);
                Assert.That(actual[name][i], Is.EqualTo(values[i]).Within(tolerance), $"{name}[{i}]");
            }
        }
    }

    [TestCase("float32")]
    [TestCase("bfloat16")]
    public void Bits_depend_neither_on_the_run_nor_on_where_operands_begin(string type)
    {
        using var device = IlgpuDevices.OpenCpu();
        var dtype = type == "float32" ? DType.Float32 : DType.BFloat16;
        var first = Run(device, dtype, 0);
        // From an odd element on nothing can be read in units of four.
        foreach (var offset in new[] { 0, 1 })
        {
            foreach (var (name, values) in Run(device, dtype, offset))
                Assert.That(values, Is.EqualTo(first[name]), $"{name} from element {offset}");
        }
    }

    [Test]
    public void Heads_that_no_kernel_holds_are_refused()
    {
        using var device = IlgpuDevices.OpenCpu();
        var x = new BufferView(device.Allocate(4 * 129), 0, DType.Float32);
        Assert.That(() => device.Attention(new AttentionArgs
        {
            Q = x, K = x, V = x, O = x, Batch = 1, Heads = 1, Queries = 1, Keys = 1, HeadSize = 129, QRow = 129, KRow = 129,
            VRow = 129, ORow = 129, Scale = 1,
        }), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo(
            "Attention: the ilgpu backend has kernels for heads of at most 128 elements; got 129."));
    }

    /// <summary>Forward and backward with bias and mask; every result as doubles.</summary>
    private static Dictionary<string, double[]> Run(
        IBackend device, DType type, int offset, Dictionary<string, double[]>? kept = null)
    {
        var random = new Random(3);
        var sums = type == DType.Float64 ? type : DType.Float32;
        var (q, k, v) = (Random(OfQueries), Random(OfKeys), Random(OfKeys));
        var (bias, dO) = (Random(OfBias), Random(OfQueries));
        var mask = new BufferView(device.Allocate(Batch * Keys), 0, DType.Bool);
        device.Upload([.. Enumerable.Range(0, Batch * Keys).Select(i => (byte)(i < Keys + 22 ? 1 : 0))], mask);
        var (o, lse) = (Empty(OfQueries, type), Empty(Batch * Heads * Queries, sums));
        device.Attention(new AttentionArgs
        {
            Q = q, K = k, V = v, O = o, LogSumExp = lse, Bias = bias, KeyMask = mask, Batch = Batch, Heads = Heads,
            Queries = Queries, Keys = Keys, HeadSize = HeadSize, QRow = Width, KRow = Width, VRow = Width, ORow = Width,
            Scale = 0.25,
        });
        var results = new Dictionary<string, double[]>
        {
            ["o"] = Read(device, o, OfQueries), ["lse"] = Read(device, lse, Batch * Heads * Queries),
        };
        if (kept is not null)
        {
            Write(device, o, kept["o"]);
            Write(device, lse, kept["lse"]);
        }
        var (dq, dk, dv, dBias) = (Empty(OfQueries, type), Empty(OfKeys, type), Empty(OfKeys, type), Empty(OfBias, type));
        device.AttentionBackward(new AttentionBackwardArgs
        {
            Q = q, K = k, V = v, O = o, DO = dO, LogSumExp = lse, Bias = bias, KeyMask = mask, DQ = dq, DK = dk, DV = dv,
            DBias = dBias, Batch = Batch, Heads = Heads, Queries = Queries, Keys = Keys, HeadSize = HeadSize, QRow = Width,
            KRow = Width, VRow = Width, ORow = Width, Scale = 0.25,
        });
        results["dq"] = Read(device, dq, OfQueries);
        results["dk"] = Read(device, dk, OfKeys);
        results["dv"] = Read(device, dv, OfKeys);
        results["dbias"] = Read(device, dBias, OfBias);
        return results;

        BufferView Empty(int count, DType of) => new(device.Allocate((count + offset) * of.Size()), offset, of);

        // Numbers that bfloat16 holds, so that every type gets the same.
        BufferView Random(int count)
        {
            var view = Empty(count, type);
            var values = new double[count];
            for (var i = 0; i < count; i++) values[i] = (float)(BFloat16)(float)(random.NextDouble() * 4 - 2);
            Write(device, view, values);
            return view;
        }
    }

    private static void Write(IBackend device, BufferView view, double[] values)
    {
        if (view.DType == DType.Float64) device.Upload(MemoryMarshal.AsBytes<double>(values), view);
        else if (view.DType == DType.Float32)
            device.Upload(MemoryMarshal.AsBytes<float>(Array.ConvertAll(values, x => (float)x)), view);
        else device.Upload(MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, x => BFloat16.FromSingle((float)x).Bits)), view);
    }

    private static double[] Read(IBackend device, BufferView view, int count)
    {
        if (view.DType == DType.Float64) return Download<double>();
        if (view.DType == DType.Float32) return Array.ConvertAll(Download<float>(), x => (double)x);
        return Array.ConvertAll(Download<ushort>(), x => (double)BFloat16.FromBits(x).ToSingle());

        T[] Download<T>()
            where T : unmanaged
        {
            var values = new T[count];
            device.Download(view, MemoryMarshal.AsBytes(values.AsSpan()));
            return values;
        }
    }
}
