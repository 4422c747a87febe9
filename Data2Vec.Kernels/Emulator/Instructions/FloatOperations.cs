namespace Data2Vec.Kernels.Emulator;

// What float instructions do in one lane. Source: PTX ISA 8.4, section 9.7.3. A float32 result that is no number has
// the bits 0x7fffffff, as on the hardware: a kernel that rounds such bits by hand meets them here too.

/// <summary>Bits and special values of floats.</summary>
internal static class Floats
{
    private static readonly float NotANumber = BitConverter.UInt32BitsToSingle(0x7fff_ffff);

    /// <summary>The one pattern for what is no number.</summary>
    public static float Canonical(float x) => float.IsNaN(x) ? NotANumber : x;

    /// <summary>Subnormal numbers become zeros of their sign.</summary>
    public static float Flush(float x) => float.IsSubnormal(x) ? BitConverter.UInt32BitsToSingle(
        BitConverter.SingleToUInt32Bits(x) & 0x8000_0000) : x;

    /// <summary>Between 0 and 1; 0 for what is no number.</summary>
    public static float Saturate(float x) => x > 0 ? x < 1 ? x : 1 : 0;

    public static double Saturate(double x) => x > 0 ? x < 1 ? x : 1 : 0;
}

internal struct AddSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(a + b);
}

internal struct SubtractSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(a - b);
}

internal struct MultiplySingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(a * b);
}

internal struct DivideSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(a / b);
}

/// <summary>a * b + c, rounded once.</summary>
internal struct FusedSingle : ITernary<float, float, float, float>
{
    public static float Do(float a, float b, float c) => Floats.Canonical(MathF.FusedMultiplyAdd(a, b, c));
}

/// <summary>The lesser; of a number and what is none, the number; -0 is less than +0.</summary>
internal struct MinSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(float.MinNumber(a, b));
}

internal struct MaxSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(float.MaxNumber(a, b));
}

/// <summary>The lesser, or no number if one is none (.NaN).</summary>
internal struct MinOrNanSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(float.Min(a, b));
}

internal struct MaxOrNanSingle : IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Canonical(float.Max(a, b));
}

internal struct AbsSingle : IUnary<float, float>
{
    public static float Do(float a) => Floats.Canonical(Math.Abs(a));
}

internal struct NegateSingle : IUnary<float, float>
{
    public static float Do(float a) => Floats.Canonical(-a);
}

internal struct AddDouble : IBinary<double, double, double>
{
    public static double Do(double a, double b) => a + b;
}

internal struct SubtractDouble : IBinary<double, double, double>
{
    public static double Do(double a, double b) => a - b;
}

internal struct MultiplyDouble : IBinary<double, double, double>
{
    public static double Do(double a, double b) => a * b;
}

internal struct DivideDouble : IBinary<double, double, double>
{
    public static double Do(double a, double b) => a / b;
}

internal struct FusedDouble : ITernary<double, double, double, double>
{
    public static double Do(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);
}

internal struct MinDouble : IBinary<double, double, double>
{
    public static double Do(double a, double b) => double.MinNumber(a, b);
}

internal struct MaxDouble : IBinary<double, double, double>
{
    public static double Do(double a, double b) => double.MaxNumber(a, b);
}

internal struct AbsDouble : IUnary<double, double>
{
    public static double Do(double a) => Math.Abs(a);
}

internal struct NegateDouble : IUnary<double, double>
{
    public static double Do(double a) => -a;
}

/// <summary>An operation with .ftz: subnormal sources and results are zeros.</summary>
internal struct Flushed1<TOp> : IUnary<float, float>
    where TOp : struct, IUnary<float, float>
{
    public static float Do(float a) => Floats.Flush(TOp.Do(Floats.Flush(a)));
}

internal struct Flushed2<TOp> : IBinary<float, float, float>
    where TOp : struct, IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Flush(TOp.Do(Floats.Flush(a), Floats.Flush(b)));
}

internal struct Flushed3<TOp> : ITernary<float, float, float, float>
    where TOp : struct, ITernary<float, float, float, float>
{
    public static float Do(float a, float b, float c) =>
        Floats.Flush(TOp.Do(Floats.Flush(a), Floats.Flush(b), Floats.Flush(c)));
}

/// <summary>An operation with .sat: the result lies in [0, 1].</summary>
internal struct Saturated1<TOp> : IUnary<float, float>
    where TOp : struct, IUnary<float, float>
{
    public static float Do(float a) => Floats.Saturate(TOp.Do(a));
}

internal struct Saturated2<TOp> : IBinary<float, float, float>
    where TOp : struct, IBinary<float, float, float>
{
    public static float Do(float a, float b) => Floats.Saturate(TOp.Do(a, b));
}

internal struct Saturated3<TOp> : ITernary<float, float, float, float>
    where TOp : struct, ITernary<float, float, float, float>
{
    public static float Do(float a, float b, float c) => Floats.Saturate(TOp.Do(a, b, c));
}
