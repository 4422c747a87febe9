using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Fill(in FillArgs a)
    {
        var size = a.Y.DType.Size();
        var bytes = a.Count * size;
        // Whole transactions, where the view begins at one; the rest byte by byte.
        var wide = a.Y.Offset * size % 16 == 0 ? bytes / 16 : 0;
        LaunchElements(FillKernels.Forward, Math.Max(wide, bytes - wide * 16), new FillKernelArgs
        {
            Y = View<byte>(a.Y), Bytes = bytes, Wide = wide, Pattern = PatternOf(a.Y.DType, a.Value),
        });
    }

    /// <summary>Eight bytes of a buffer that is full of the value.</summary>
    private static ulong PatternOf(DType type, double value) => type switch
    {
        DType.Float32 => BitConverter.SingleToUInt32Bits((float)value) * 0x1_0000_0001ul,
        DType.BFloat16 => BFloat16.FromSingle((float)value).Bits * 0x1_0001_0001_0001ul,
        DType.Int32 => (uint)(int)value * 0x1_0000_0001ul,
        DType.Int64 => (ulong)(long)value,
        DType.Bool => value != 0 ? 0x0101_0101_0101_0101ul : 0,
        DType.UInt8 => (byte)value * 0x0101_0101_0101_0101ul,
        _ => throw NoSuchType("Fill", type),
    };
}

internal struct FillKernelArgs
{
    public ArrayView<byte> Y;
    public long Bytes, Wide;
    public ulong Pattern;
}

internal static class FillKernels
{
    public static readonly KernelSource<FillKernelArgs> Forward = new("fill_fwd", Write);

    public static IEnumerable<KernelSource> All => [Forward];

    private static void Write(FillKernelArgs a)
    {
        var wide = a.Y.Cast<Four<uint>>();
        var (low, high) = ((uint)a.Pattern, (uint)(a.Pattern >> 32));
        var four = new Four<uint> { A = low, B = high, C = low, D = high };
        for (var i = GridLoop.Start; i < a.Wide; i += GridLoop.Step) wide[i] = four;
        for (var i = a.Wide * 16 + GridLoop.Start; i < a.Bytes; i += GridLoop.Step)
            a.Y[i] = (byte)(a.Pattern >> (8 * (int)(i & 7)));
    }
}
