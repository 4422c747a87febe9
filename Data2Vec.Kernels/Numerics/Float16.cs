using System.Runtime.InteropServices;

namespace Data2Vec.Kernels;

/// <summary>
/// IEEE 754 binary16 as found in files. No tensor has this type: it is widened when read and rounded when written.
/// </summary>
/// <remarks>The conversions are those of <see cref="Half"/>, held to every 16-bit pattern by a test.</remarks>
public static class Float16
{
    /// <summary>The float32 with the value of these 16 bits; exact, subnormals included.</summary>
    public static float ToSingle(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

    /// <summary>Rounds to nearest, ties to even; 65520 and above becomes infinity; NaN stays NaN.</summary>
    public static ushort FromSingle(float value) => BitConverter.HalfToUInt16Bits((Half)value);

    /// <summary>Widens every element of <paramref name="source"/> into <paramref name="destination"/>.</summary>
    /// <exception cref="ArgumentException">The two lengths differ.</exception>
    public static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        CheckLengths(source.Length, destination.Length, nameof(Widen));
        var halves = MemoryMarshal.Cast<ushort, Half>(source);
        for (var i = 0; i < halves.Length; i++) destination[i] = (float)halves[i];
    }

    /// <summary>Rounds every element of <paramref name="source"/> into <paramref name="destination"/>.</summary>
    /// <exception cref="ArgumentException">The two lengths differ.</exception>
    public static void Narrow(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        CheckLengths(source.Length, destination.Length, nameof(Narrow));
        for (var i = 0; i < source.Length; i++) destination[i] = FromSingle(source[i]);
    }

    private static void CheckLengths(int source, int destination, string operation)
    {
        if (source == destination) return;
        throw new ArgumentException(
            $"Float16.{operation}: the destination must be as long as the source ({source}); got {destination}.");
    }
}
