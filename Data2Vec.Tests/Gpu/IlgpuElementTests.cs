using System.Runtime.InteropServices;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Ilgpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>What the catalogue of cases cannot say about element-wise kernels, movement and rows: on ILGPU's CPU accelerator.</summary>
public sealed class IlgpuElementTests
{
    [Test]
    public void Powers_are_those_of_the_runtime_rounded_to_float32()
    {
        float[] special =
        [
            0, -0f, 1, -1, 0.5f, -0.5f, 2, -2, 3, -3, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-45f, -1e-45f,
            1e30f, -1e30f, 16777215, 16777216, 0.9999999f, 1.0000001f,
        ];
        foreach (var x in special)
            foreach (var y in special)
                Same(x, y);
        var random = new Random(5);
        for (var i = 0; i < 100_000; i++)
            Same(BitConverter.Int32BitsToSingle(random.Next()), (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 3))));

        static void Same(float x, float y)
        {
            var (expected, actual) = ((float)Math.Pow(x, y), (float)DeviceMath.Pow(x, y));
            // NaN in any bits; everything else to the sign of zero.
            if (float.IsNaN(expected) ? !float.IsNaN(actual) : BitConverter.SingleToInt32Bits(expected) != BitConverter.SingleToInt32Bits(actual))
                Assert.Fail($"{x:R} ^ {y:R} is {expected:R}; got {actual:R}.");
        }
    }

    [Test]
    public void An_int64_that_int32_cannot_hold_is_refused_at_the_next_wait()
    {
        using var device = IlgpuDevices.OpenCpu();
        var x = Upload<long>(device, [1, int.MinValue, int.MaxValue, 1L << 31], DType.Int64);
        var y = Upload<int>(device, [0, 0, 0, 0], DType.Int32);
        device.Cast(new CastArgs { X = x, Y = y, Count = 4 });
        Assert.That(device.Synchronize, Throws.TypeOf<OverflowException>()
            .With.Message.EqualTo("Cast: the element at position 3 is 2147483648, which int32 cannot hold."));
        Assert.That(Download<int>(device, y, 3), Is.EqualTo(new[] { 1, int.MinValue, int.MaxValue }));
    }

    [Test]
    public void A_large_integer_is_rounded_to_bfloat16_once()
    {
        using var device = IlgpuDevices.OpenCpu();
        // 2^24 (1 + 2^-8) is a tie of bfloat16; one more decides it, and is lost where float32 comes in between.
        const long tie = (1L << 24) + (1L << 16);
        long[] values = [tie, tie + 1, -tie - 1, 3 * tie + 1, long.MinValue, long.MaxValue];
        var x = Upload(device, values, DType.Int64);
        var y = Upload(device, new ushort[values.Length], DType.BFloat16);
        device.Cast(new CastArgs { X = x, Y = y, Count = values.Length });
        var rounded = Download<ushort>(device, y, values.Length).Select(b => (double)BFloat16.FromBits(b).ToSingle());
        double step = 1 << 17;
        Assert.That(rounded, Is.EqualTo(new[] { 1L << 24, (1 << 24) + step, -(1 << 24) - step, 3 * (1 << 24) + 2 * step, -Math.Pow(2, 63), Math.Pow(2, 63) }));
    }

    [Test]
    public void A_row_that_does_not_exist_is_refused_before_any_row_is_written()
    {
        using var device = IlgpuDevices.OpenCpu();
        var x = Upload<float>(device, [1, 2, 3, 4], DType.Float32);
        var rows = Upload<int>(device, [0, 5], DType.Int32);
        var y = Upload<float>(device, [9, 9, 9, 9, 9, 9], DType.Float32);
        foreach (var add in new[] { false, true })
        {
            device.ScatterRows(new ScatterRowsArgs { X = x, Rows = rows, Y = y, Count = 2, Columns = 2, YRows = 3, Accumulate = add, IgnoreRow = -1 });
            Assert.That(device.Synchronize, Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("position 1 is 5"));
            Assert.That(Download<float>(device, y, 6), Is.All.EqualTo(9f));
        }
    }

    [Test]
    public void Strides_may_walk_back()
    {
        using var device = IlgpuDevices.OpenCpu();
        var x = Upload<float>(device, [1, 2, 3, 4, 5, 6], DType.Float32);
        var y = Upload(device, new float[6], DType.Float32);
        var back = default(Strides);
        (back[0], back[1]) = (3, -1);
        var shape = new Shape(2, 3);
        device.StridedCopy(new StridedCopyArgs { X = x.At(2), XStrides = back, Y = y, YStrides = shape.Strides, Shape = shape });
        Assert.That(Download<float>(device, y, 6), Is.EqualTo(new float[] { 3, 2, 1, 6, 5, 4 }));
        device.Binary(new BinaryArgs
        {
            Op = BinaryOp.Sub, X = x.At(2), XStrides = back, Y = x, YStrides = shape.Strides, Z = y, Shape = shape,
        });
        Assert.That(Download<float>(device, y, 6), Is.EqualTo(new float[] { 2, 0, -2, 2, 0, -2 }));
    }

    [Test]
    public void A_download_reaches_the_callers_array_however_the_collector_moves_it()
    {
        using var device = IlgpuDevices.OpenCpu();
        const int count = 16_000;
        var view = Upload(device, Enumerable.Repeat(3f, count).ToArray(), DType.Float32);
        var stop = false;
        var mover = new Thread(() =>
        {
            while (!Volatile.Read(ref stop)) GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
        });
        mover.Start();
        try
        {
            for (var i = 0; i < 2_000; i++) Assert.That(Download<float>(device, view, count).AsSpan().IndexOfAnyExcept(3f), Is.EqualTo(-1));
        }
        finally
        {
            Volatile.Write(ref stop, true);
            mover.Join();
        }
    }

    private static BufferView Upload<T>(IlgpuBackend device, T[] values, DType type)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes<T>(values);
        var view = new BufferView(device.Allocate(bytes.Length), 0, type);
        device.Upload(bytes, view);
        return view;
    }

    private static T[] Download<T>(IlgpuBackend device, BufferView view, int count)
        where T : unmanaged
    {
        var values = new T[count];
        device.Download(view, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
