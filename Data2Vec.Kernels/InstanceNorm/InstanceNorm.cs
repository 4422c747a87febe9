namespace Data2Vec.Kernels;

/// <summary>
/// x [Batch, Time, Channels]: y = (x - mean) * rstd with mean and biased variance over Time for every (batch,
/// channel); no affine part. One frame gives 0. Batch norm over batch and time is this with Batch = 1.
/// </summary>
public readonly struct InstanceNormArgs
{
    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>[Batch, Channels], written; or absent.</summary>
    public BufferView Mean { get; init; }

    /// <summary>[Batch, Channels], written; or absent.</summary>
    public BufferView Rstd { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Frames, at least 1.</summary>
    public int Time { get; init; }

    /// <summary>Channels.</summary>
    public int Channels { get; init; }

    /// <summary>Added to the variance.</summary>
    public double Eps { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("InstanceNorm", X);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        Kernels.Check.That("InstanceNorm", Time >= 1, $"there must be at least 1 frame; got {Time}.");
        Kernels.Check.Holds("InstanceNorm", X, (long)Batch * Time * Channels, type);
        Kernels.Check.Holds("InstanceNorm", Y, (long)Batch * Time * Channels, type);
        Kernels.Check.HoldsIfGiven("InstanceNorm", Mean, (long)Batch * Channels, statistics);
        Kernels.Check.HoldsIfGiven("InstanceNorm", Rstd, (long)Batch * Channels, statistics);
    }
}

/// <summary>
/// dx = rstd * (dy - mean(dy) - h * mean(dy * h)), means over Time, h = (x - mean) * rstd.
/// </summary>
public readonly struct InstanceNormBackwardArgs
{
    /// <summary>Input of the forward call.</summary>
    public BufferView X { get; init; }

    /// <summary>Kept means.</summary>
    public BufferView Mean { get; init; }

    /// <summary>Kept reciprocal deviations.</summary>
    public BufferView Rstd { get; init; }

    /// <summary>Gradient of the output.</summary>
    public BufferView DY { get; init; }

    /// <summary>Gradient of x, written.</summary>
    public BufferView DX { get; init; }

    /// <summary>Samples.</summary>
    public int Batch { get; init; }

    /// <summary>Frames.</summary>
    public int Time { get; init; }

    /// <summary>Channels.</summary>
    public int Channels { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("InstanceNormBackward", X);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        Kernels.Check.Holds("InstanceNormBackward", X, (long)Batch * Time * Channels, type);
        Kernels.Check.Holds("InstanceNormBackward", Mean, (long)Batch * Channels, statistics);
        Kernels.Check.Holds("InstanceNormBackward", Rstd, (long)Batch * Channels, statistics);
        Kernels.Check.Holds("InstanceNormBackward", DY, (long)Batch * Time * Channels, type);
        Kernels.Check.Holds("InstanceNormBackward", DX, (long)Batch * Time * Channels, type);
    }
}
