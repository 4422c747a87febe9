using System.Numerics;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>What an instruction does in one lane, of one source.</summary>
internal interface IUnary<TA, TD>
{
    static abstract TD Do(TA a);
}

/// <summary>What an instruction does in one lane, of two sources.</summary>
internal interface IBinary<TA, TB, TD>
{
    static abstract TD Do(TA a, TB b);
}

/// <summary>What an instruction does in one lane, of three sources.</summary>
internal interface ITernary<TA, TB, TC, TD>
{
    static abstract TD Do(TA a, TB b, TC c);
}

/// <summary>A comparison in one lane.</summary>
internal interface ICompare<T>
{
    static abstract bool Do(T a, T b);
}

/// <summary>
/// Runs an operation over the lanes of a warp: all 32 in a loop without a branch, or those of a mask. The JIT makes one
/// loop for every operation; an instruction holds its address.
/// </summary>
internal static unsafe class Lanes
{
    public const int Count = 32;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unary<TOp, TA, TD>(Warp warp, Instruction i, uint mask)
        where TOp : struct, IUnary<TA, TD> where TA : unmanaged where TD : unmanaged
    {
        TD* d = warp.At<TD>(i.D);
        TA* a = warp.At<TA>(i.A);
        if (mask == uint.MaxValue)
        {
            for (var k = 0; k < Count; k++) d[k] = TOp.Do(a[k]);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = TOp.Do(a[k]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Binary<TOp, TA, TB, TD>(Warp warp, Instruction i, uint mask)
        where TOp : struct, IBinary<TA, TB, TD> where TA : unmanaged where TB : unmanaged where TD : unmanaged
    {
        var d = (TD*)(warp.Registers + i.D);
        TA* a = warp.At<TA>(i.A);
        TB* b = warp.At<TB>(i.B);
        if (mask == uint.MaxValue)
        {
            for (var k = 0; k < Count; k++) d[k] = TOp.Do(a[k], b[k]);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = TOp.Do(a[k], b[k]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Ternary<TOp, TA, TB, TC, TD>(Warp warp, Instruction i, uint mask)
        where TOp : struct, ITernary<TA, TB, TC, TD>
        where TA : unmanaged where TB : unmanaged where TC : unmanaged where TD : unmanaged
    {
        TD* d = warp.At<TD>(i.D);
        TA* a = warp.At<TA>(i.A);
        TB* b = warp.At<TB>(i.B);
        TC* c = warp.At<TC>(i.C);
        if (mask == uint.MaxValue)
        {
            for (var k = 0; k < Count; k++) d[k] = TOp.Do(a[k], b[k], c[k]);
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            d[k] = TOp.Do(a[k], b[k], c[k]);
        }
    }

    /// <summary>The lanes of a mask for which a comparison holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Holds<TOp, T>(Warp warp, Instruction i, uint mask)
        where TOp : struct, ICompare<T> where T : unmanaged
    {
        T* a = warp.At<T>(i.A), b = warp.At<T>(i.B);
        var result = 0u;
        if (mask == uint.MaxValue)
        {
            for (var k = 0; k < Count; k++) result |= TOp.Do(a[k], b[k]) ? 1u << k : 0;
            return result;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            var k = BitOperations.TrailingZeroCount(mask);
            if (TOp.Do(a[k], b[k])) result |= 1u << k;
        }
        return result;
    }
}
