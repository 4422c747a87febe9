using System.Globalization;
using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>
/// Brain floating point: the upper 16 bits of a float32 (1 sign, 8 exponent, 7 fraction bits). A storage type: it
/// has conversions and no arithmetic, because sums are taken in float32 or wider.
/// </summary>
/// <remarks>Equality is by bits, so a NaN equals itself and +0 differs from -0.</remarks>
public readonly struct BFloat16 : IEquatable<BFloat16>
{
    private const uint FirstNaN = 0x7F80_0001;
    private const ushort QuietBit = 0x0040;

    private BFloat16(ushort bits) => Bits = bits;

    /// <summary>The 16 stored bits.</summary>
    public ushort Bits { get; }

    /// <summary>The number with these bits.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>Rounds to nearest, ties to even; too large becomes infinity; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BFloat16 FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        // A NaN whose payload lies in the low half would be cut to infinity or carried away: set the quiet bit.
        if ((bits & 0x7FFF_FFFF) >= FirstNaN) return new((ushort)((bits >> 16) | QuietBit));
        return new((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>The same number in float32; exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float ToSingle() => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    /// <summary>Rounds to nearest, ties to even; see <see cref="FromSingle"/>.</summary>
    public static explicit operator BFloat16(float value) => FromSingle(value);

    /// <summary>Widens without loss.</summary>
    public static implicit operator float(BFloat16 value) => value.ToSingle();

    /// <summary>Widens every element of <paramref name="source"/> into <paramref name="destination"/>.</summary>
    /// <exception cref="ArgumentException">The two lengths differ.</exception>
    public static void Widen(ReadOnlySpan<BFloat16> source, Span<float> destination)
    {
        CheckLengths(source.Length, destination.Length, nameof(Widen));
        for (var i = 0; i < source.Length; i++) destination[i] = source[i].ToSingle();
    }

    /// <summary>Rounds every element of <paramref name="source"/> into <paramref name="destination"/>.</summary>
    /// <exception cref="ArgumentException">The two lengths differ.</exception>
    public static void Narrow(ReadOnlySpan<float> source, Span<BFloat16> destination)
    {
        CheckLengths(source.Length, destination.Length, nameof(Narrow));
        for (var i = 0; i < source.Length; i++) destination[i] = FromSingle(source[i]);
    }

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => Bits == other.Bits;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Bits;

    /// <inheritdoc/>
    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);

    private static void CheckLengths(int source, int destination, string operation)
    {
        if (source == destination) return;
        throw new ArgumentException(
            $"BFloat16.{operation}: the destination must be as long as the source ({source}); got {destination}.");
    }
}
