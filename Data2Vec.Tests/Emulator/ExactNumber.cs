using System.Numerics;

namespace Data2Vec.Tests.Emulator;

/// <summary>
/// A number as integer times a power of two: what float instructions have to give, without a float instruction of the
/// host.
/// </summary>
internal readonly record struct ExactNumber(BigInteger Mantissa, int Exponent)
{
    public static ExactNumber Of(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var (exponent, fraction) = ((int)(bits >> 52 & 2047), bits & 0xf_ffff_ffff_ffff);
        var mantissa = exponent == 0 ? fraction : fraction | 1L << 52;
        return new ExactNumber(bits < 0 ? -mantissa : mantissa, Math.Max(exponent, 1) - 1075);
    }

    public static ExactNumber operator *(ExactNumber a, ExactNumber b) =>
        new(a.Mantissa * b.Mantissa, a.Exponent + b.Exponent);

    public static ExactNumber operator +(ExactNumber a, ExactNumber b)
    {
        var exponent = Math.Min(a.Exponent, b.Exponent);
        return new ExactNumber(
            (a.Mantissa << (a.Exponent - exponent)) + (b.Mantissa << (b.Exponent - exponent)), exponent);
    }

    public static ExactNumber operator -(ExactNumber a) => new(-a.Mantissa, a.Exponent);

    /// <summary>
    /// A quotient, cut off behind many more places than any float has; whether something was cut off shows in the last
    /// one, so that it rounds as the quotient does.
    /// </summary>
    public static ExactNumber operator /(ExactNumber a, ExactNumber b)
    {
        const int places = 2400;
        var (quotient, rest) = BigInteger.DivRem(BigInteger.Abs(a.Mantissa) << places, BigInteger.Abs(b.Mantissa));
        quotient = quotient << 1 | (rest.IsZero ? 0 : 1);
        return new(a.Mantissa.Sign * b.Mantissa.Sign * quotient, a.Exponent - b.Exponent - places - 1);
    }

    /// <summary>The square root of a number above 0, as exact as a quotient.</summary>
    public ExactNumber Root()
    {
        var shift = 400 + (Exponent & 1);
        var square = Mantissa << shift;
        // Newton's method from above ends at the root, rounded down.
        var root = BigInteger.One << (int)(square.GetBitLength() / 2 + 1);
        while ((root + square / root) >> 1 is var next && next < root) root = next;
        return new(root << 1 | (root * root == square ? 0 : 1), (Exponent - shift) / 2 - 1);
    }

    public bool IsZero => Mantissa.IsZero;

    /// <summary>Rounded to an integer: "rn" to even, "rz", "rm", "rp".</summary>
    public BigInteger Integer(string mode)
    {
        if (Exponent >= 0) return Mantissa << Exponent;
        var floor = Mantissa >> -Exponent;
        var rest = Mantissa - (floor << -Exponent);
        if (rest.IsZero) return floor;
        var half = (rest << 1).CompareTo(BigInteger.One << -Exponent);
        return mode switch
        {
            "rm" => floor,
            "rp" => floor + 1,
            "rz" => Mantissa.Sign < 0 ? floor + 1 : floor,
            _ => half > 0 || (half == 0 && !floor.IsEven) ? floor + 1 : floor,
        };
    }

    /// <summary>
    /// Bits of the float with so many bits of fraction and such a least and largest exponent, of a number that is not
    /// zero.
    /// </summary>
    public ulong Round(string mode, int fraction, int bits)
    {
        var (negative, magnitude) = (Mantissa.Sign < 0, BigInteger.Abs(Mantissa));
        var bias = (1 << (bits - fraction - 2)) - 1;
        // The exponent of the last place.
        var last = Math.Max((int)magnitude.GetBitLength() + Exponent - 1, 1 - bias) - fraction;
        var direction = mode switch
        {
            "rm" => negative ? "rp" : "rz",
            "rp" => negative ? "rz" : "rp",
            "rna" => "rna",
            _ => mode,
        };
        var scaled = new ExactNumber(magnitude, Exponent - last);
        var places = direction == "rna" ? (scaled + new ExactNumber(1, -1)).Integer("rm")
            : scaled.Integer(mode is "rm" && negative ? "rp" : direction);
        var sign = negative ? 1UL << (bits - 1) : 0;
        if ((int)places.GetBitLength() > fraction + 1)
        {
            places >>= 1;
            last++;
        }
        var largest = ((1UL << (bits - fraction - 1)) - 1) << fraction;
        if (last + fraction > bias) return sign | (direction is "rz" ? largest - 1 : largest);
        var encoded = (ulong)places;
        if (encoded >> fraction != 0)
            encoded = encoded - (1UL << fraction) + ((ulong)(last + fraction + bias) << fraction);
        return sign | encoded;
    }
}
