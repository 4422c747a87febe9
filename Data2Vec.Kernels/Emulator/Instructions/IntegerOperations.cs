using System.Numerics;

namespace Data2Vec.Kernels.Emulator;

// What integer instructions do in one lane, for every width. Source: PTX ISA 8.4, section 9.7.1. Sums and products
// wrap.

/// <summary>An operation of one source for every integer type.</summary>
internal interface IInteger1
{
    static abstract T Do<T>(T a)
        where T : struct, IBinaryInteger<T>;
}

/// <summary>An operation of two sources for every integer type.</summary>
internal interface IInteger2
{
    static abstract T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T>;
}

/// <summary>An operation of three sources for every integer type.</summary>
internal interface IInteger3
{
    static abstract T Do<T>(T a, T b, T c)
        where T : struct, IBinaryInteger<T>;
}

/// <summary>a + b.</summary>
internal struct IntegerAdd : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => unchecked(a + b);
}

/// <summary>a - b.</summary>
internal struct IntegerSubtract : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => unchecked(a - b);
}

/// <summary>The low half of a * b.</summary>
internal struct MultiplyLow : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => unchecked(a * b);
}

/// <summary>The low half of a * b, plus c.</summary>
internal struct MultiplyAddLow : IInteger3
{
    public static T Do<T>(T a, T b, T c)
        where T : struct, IBinaryInteger<T> => unchecked(a * b + c);
}

/// <summary>The high half of a * b.</summary>
internal struct MultiplyHigh : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T>
    {
        if (typeof(T) == typeof(int))
            return T.CreateTruncating(long.CreateTruncating(a) * long.CreateTruncating(b) >> 32);
        if (typeof(T) == typeof(uint))
            return T.CreateTruncating(ulong.CreateTruncating(a) * ulong.CreateTruncating(b) >> 32);
        if (typeof(T) == typeof(long))
            return T.CreateTruncating(Math.BigMul(long.CreateTruncating(a), long.CreateTruncating(b), out _));
        if (typeof(T) == typeof(ulong))
            return T.CreateTruncating(Math.BigMul(ulong.CreateTruncating(a), ulong.CreateTruncating(b), out _));
        return T.CreateTruncating(long.CreateTruncating(a) * long.CreateTruncating(b) >> 16);
    }
}

/// <summary>The high half of a * b, plus c.</summary>
internal struct MultiplyAddHigh : IInteger3
{
    public static T Do<T>(T a, T b, T c)
        where T : struct, IBinaryInteger<T> => unchecked(MultiplyHigh.Do(a, b) + c);
}

/// <summary>a / b rounded towards zero; division by zero gives all ones, as the hardware does.</summary>
internal struct Quotient : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => T.IsZero(b) ? ~T.Zero : IsMinusOne(b) ? unchecked(T.Zero - a) : a / b;

    /// <summary>The least integer divided by -1 is itself.</summary>
    internal static bool IsMinusOne<T>(T b)
        where T : struct, IBinaryInteger<T> => T.IsNegative(b) && T.IsZero(~b);
}

/// <summary>a - b * (a / b); of zero a, as the hardware does.</summary>
internal struct Remainder : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => T.IsZero(b) ? a : Quotient.IsMinusOne(b) ? T.Zero : a % b;
}

/// <summary>The lesser.</summary>
internal struct Lesser : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => a < b ? a : b;
}

/// <summary>The greater.</summary>
internal struct Greater : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => a > b ? a : b;
}

/// <summary>|a|, of the least integer itself.</summary>
internal struct Magnitude : IInteger1
{
    public static T Do<T>(T a)
        where T : struct, IBinaryInteger<T> => T.IsNegative(a) ? unchecked(T.Zero - a) : a;
}

/// <summary>-a.</summary>
internal struct IntegerNegate : IInteger1
{
    public static T Do<T>(T a)
        where T : struct, IBinaryInteger<T> => unchecked(T.Zero - a);
}

/// <summary>c + |a - b|.</summary>
internal struct SumOfDifference : IInteger3
{
    public static T Do<T>(T a, T b, T c)
        where T : struct, IBinaryInteger<T> => unchecked(c + (a < b ? b - a : a - b));
}

/// <summary>a and b.</summary>
internal struct BitAnd : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => a & b;
}

/// <summary>a or b.</summary>
internal struct BitOr : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => a | b;
}

/// <summary>Either a or b.</summary>
internal struct BitXor : IInteger2
{
    public static T Do<T>(T a, T b)
        where T : struct, IBinaryInteger<T> => a ^ b;
}

/// <summary>All bits turned round.</summary>
internal struct BitNot : IInteger1
{
    public static T Do<T>(T a)
        where T : struct, IBinaryInteger<T> => ~a;
}

/// <summary>1 for zero, else 0.</summary>
internal struct IsZero : IInteger1
{
    public static T Do<T>(T a)
        where T : struct, IBinaryInteger<T> => T.IsZero(a) ? T.One : T.Zero;
}

/// <summary>Sum that stops at the ends of int32.</summary>
internal struct SaturatedAdd : IBinary<int, int, int>
{
    public static int Do(int a, int b) => (int)Math.Clamp((long)a + b, int.MinValue, int.MaxValue);
}

/// <summary>Difference that stops at the ends of int32.</summary>
internal struct SaturatedSubtract : IBinary<int, int, int>
{
    public static int Do(int a, int b) => (int)Math.Clamp((long)a - b, int.MinValue, int.MaxValue);
}
