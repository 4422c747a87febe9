using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    /// <exception cref="OverflowException">At the next wait: an int64 element does not fit into int32.</exception>
    public void Cast(in CastArgs a)
    {
        if (!Supports(a.X.DType) || !Supports(a.Y.DType))
            throw NoSuchType("Cast", Supports(a.X.DType) ? a.Y.DType : a.X.DType);
        if (a.X.DType == DType.Float32 && a.Y.DType == DType.BFloat16) Round<Full, Brain>(a);
        else if (a.X.DType == DType.BFloat16 && a.Y.DType == DType.Float32) Round<Brain, Full>(a);
        else
        {
            LaunchElements(CastKernels.Forward, a.Count, new CastKernelArgs
            {
                X = View<byte>(a.X), Y = View<byte>(a.Y), From = (int)a.X.DType, To = (int)a.Y.DType, Count = a.Count,
                Fault = Faults,
            });
        }

        void Round<TFrom, TTo>(in CastArgs a)
            where TFrom : unmanaged, IElement<TFrom>
            where TTo : unmanaged, IElement<TTo> => LaunchElements(
                RoundKernels<TFrom, TTo>.Forward, Chunk.Count(a.Count), new RoundKernelArgs<TFrom, TTo>
                {
                    X = View<TFrom>(a.X), Y = View<TTo>(a.Y), Count = a.Count, Mode = Chunk.Mode(a.X, a.Y),
                });
    }
}

/// <summary>Operands as bytes; the types are numbers of <see cref="DType"/>.</summary>
internal struct CastKernelArgs
{
    public ArrayView<byte> X, Y;
    public ArrayView<Fault> Fault;
    public int From, To;
    public long Count;
}

internal struct RoundKernelArgs<TFrom, TTo>
    where TFrom : unmanaged
    where TTo : unmanaged
{
    public ArrayView<TFrom> X;
    public ArrayView<TTo> Y;
    public long Count;
    public int Mode;
}

/// <summary>Between the two floating-point types, four elements at a time: what mixed precision does all the time.</summary>
internal static class RoundKernels<TFrom, TTo>
    where TFrom : unmanaged, IElement<TFrom>
    where TTo : unmanaged, IElement<TTo>
{
    public static readonly KernelSource<RoundKernelArgs<TFrom, TTo>> Forward =
        new($"cast_fwd {KernelNames.Of<TFrom>()} {KernelNames.Of<TTo>()}", Apply);

    private static void Apply(RoundKernelArgs<TFrom, TTo> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
            Chunk.Store(Chunk.Load(a.X, at, a.Count - at, a.Mode), a.Y, at, a.Count - at, a.Mode);
    }
}

/// <summary>Every other pair of types in one kernel: the types are the same for all threads.</summary>
internal static class CastKernels
{
    public static readonly KernelSource<CastKernelArgs> Forward = new("cast_fwd", Apply);

    public static IEnumerable<KernelSource> All => [Forward, RoundKernels<Full, Brain>.Forward, RoundKernels<Brain, Full>.Forward];

    private static void Apply(CastKernelArgs a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            if (a.From == (int)DType.Float32) FromReal(a, i, a.X.Cast<float>()[i]);
            else if (a.From == (int)DType.BFloat16) FromReal(a, i, a.X.Cast<Brain>()[i].Widen());
            else if (a.From == (int)DType.Int32) FromWhole(a, i, a.X.Cast<int>()[i]);
            else if (a.From == (int)DType.Int64) FromWhole(a, i, a.X.Cast<long>()[i]);
            else FromWhole(a, i, a.X[i]);
        }
    }

    private static void FromReal(in CastKernelArgs a, long i, float v)
    {
        if (a.To == (int)DType.Float32) a.Y.Cast<float>()[i] = v;
        else if (a.To == (int)DType.BFloat16) a.Y.Cast<Brain>()[i] = default(Brain).Narrow(v);
        else if (a.To == (int)DType.Int32) a.Y.Cast<int>()[i] = (int)v;
        else if (a.To == (int)DType.Int64) a.Y.Cast<long>()[i] = (long)v;
        else if (a.To == (int)DType.Bool) a.Y[i] = v != 0 ? (byte)1 : (byte)0;
        else a.Y[i] = (byte)(int)v;
    }

    private static void FromWhole(in CastKernelArgs a, long i, long n)
    {
        if (a.To == (int)DType.Float32) a.Y.Cast<float>()[i] = n;
        else if (a.To == (int)DType.BFloat16) a.Y.Cast<Brain>()[i] = default(Brain).Narrow(Shortened(n));
        else if (a.To == (int)DType.Int64) a.Y.Cast<long>()[i] = n;
        else if (a.To == (int)DType.Bool) a.Y[i] = n != 0 ? (byte)1 : (byte)0;
        else if (a.To == (int)DType.UInt8) a.Y[i] = (byte)n;
        else if (n == (int)n) a.Y.Cast<int>()[i] = (int)n;
        else Fault.Note(a.Fault, IndexedOp.Cast, n, i, int.MaxValue);
    }

    /// <summary>
    /// A float32 that rounds to the same bfloat16 as the integer: what does not fit into 24 bits is left of it as a last bit
    /// that is not 0, so that nothing is rounded twice.
    /// </summary>
    private static float Shortened(long n)
    {
        var left = n < 0 ? 0ul - (ulong)n : (ulong)n;
        var scale = n < 0 ? -1f : 1f;
        while (left >= 1ul << 24)
        {
            left = (left >> 12) | ((left & 0xFFF) != 0 ? 1ul : 0ul);
            scale *= 4096;
        }
        return left * scale;
    }
}
