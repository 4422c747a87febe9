using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

/// <summary>The 8 x 4 sums of one thread, as scalars that stay in registers.</summary>
internal struct ProductBlock
{
    public Four<float> R0, R1, R2, R3, R4, R5, R6, R7;

    /// <summary>These sums plus the outer product of eight numbers and four.</summary>
    public readonly ProductBlock Plus(Four<float> upper, Four<float> lower, Four<float> right) => new()
    {
        R0 = Row(R0, upper.A, right),
        R1 = Row(R1, upper.B, right),
        R2 = Row(R2, upper.C, right),
        R3 = Row(R3, upper.D, right),
        R4 = Row(R4, lower.A, right),
        R5 = Row(R5, lower.B, right),
        R6 = Row(R6, lower.C, right),
        R7 = Row(R7, lower.D, right),
    };

    private static Four<float> Row(Four<float> sums, float left, Four<float> right) => new()
    {
        A = sums.A + left * right.A,
        B = sums.B + left * right.B,
        C = sums.C + left * right.C,
        D = sums.D + left * right.D,
    };
}

/// <summary>Elements that a thread fetched for the next tile of the left operand.</summary>
internal struct LeftFetch
{
    public float V0, V1, V2, V3, V4, V5, V6, V7;
}
