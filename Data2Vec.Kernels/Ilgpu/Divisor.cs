namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Division by a number that is known before the launch, as a product and a shift: GPUs have no instruction for it.
/// Granlund and Montgomery, "Division by invariant integers using multiplication", 1994: with p = 31 + ceil(log2 d)
/// and m = ceil(2^p / d), n / d = (n m) / 2^p for 0 &lt;= n &lt; 2^31.
/// </summary>
internal readonly struct Divisor
{
    private readonly uint multiplier;
    private readonly int shift, divisor;

    /// <param name="divisor">At least 1.</param>
    public Divisor(int divisor)
    {
        this.divisor = divisor;
        shift = 31 + (divisor == 1 ? 0 : System.Numerics.BitOperations.Log2((uint)divisor - 1) + 1);
        multiplier = (uint)(((1UL << shift) + (uint)divisor - 1) / (uint)divisor);
    }

    /// <summary>The quotient of a number that is not negative.</summary>
    public int Divide(int number, out int rest)
    {
        var whole = (int)(((ulong)(uint)number * multiplier) >> shift);
        rest = number - whole * divisor;
        return whole;
    }
}
