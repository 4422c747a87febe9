using System.Numerics;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels.Emulator;

/// <summary>A relation of two numbers of any type.</summary>
internal interface IRelation
{
    static abstract bool Do<T>(T a, T b)
        where T : struct, INumber<T>;
}

internal struct Equal : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => a == b;
}

internal struct Unequal : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => a != b;
}

internal struct Less : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => a < b;
}

internal struct LessOrEqual : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => a <= b;
}

internal struct More : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => a > b;
}

internal struct MoreOrEqual : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => a >= b;
}

internal struct Always : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => true;
}

internal struct Never : IRelation
{
    public static bool Do<T>(T a, T b)
        where T : struct, INumber<T> => false;
}

internal struct Integers<TRelation, T> : ICompare<T>
    where TRelation : struct, IRelation where T : struct, INumber<T>
{
    public static bool Do(T a, T b) => TRelation.Do(a, b);
}

/// <summary>A comparison of 16-bit registers, which lie in 32 bits.</summary>
internal struct Shorts<TOp, T> : ICompare<uint>
    where TOp : struct, ICompare<T> where T : unmanaged
{
    public static bool Do(uint a, uint b) => TOp.Do(Unsafe.As<uint, T>(ref a), Unsafe.As<uint, T>(ref b));
}

/// <summary>What happens to a source before it is compared.</summary>
internal interface ISide
{
    static abstract T Of<T>(T x)
        where T : struct, INumber<T>;
}

internal struct PlainSide : ISide
{
    public static T Of<T>(T x)
        where T : struct, INumber<T> => x;
}

/// <summary>.ftz: subnormal sources are zeros.</summary>
internal struct FlushedSide : ISide
{
    public static T Of<T>(T x)
        where T : struct, INumber<T> => T.IsSubnormal(x) ? T.Zero : x;
}

/// <summary>False if a source is no number.</summary>
internal struct Ordered<TRelation, T, TSide> : ICompare<T>
    where TRelation : struct, IRelation where T : struct, INumber<T> where TSide : struct, ISide
{
    public static bool Do(T a, T b) => !T.IsNaN(a) && !T.IsNaN(b) && TRelation.Do(TSide.Of(a), TSide.Of(b));
}

/// <summary>True if a source is no number.</summary>
internal struct Unordered<TRelation, T, TSide> : ICompare<T>
    where TRelation : struct, IRelation where T : struct, INumber<T> where TSide : struct, ISide
{
    public static bool Do(T a, T b) => T.IsNaN(a) || T.IsNaN(b) || TRelation.Do(TSide.Of(a), TSide.Of(b));
}
