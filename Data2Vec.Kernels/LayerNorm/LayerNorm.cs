namespace Data2Vec.Kernels;

/// <summary>
/// s = dropout(x) + residual; y = activation((s - mean(s)) * rstd * gamma + beta) over the last dimension, rstd = 1 /
/// sqrt(biased variance + Eps), the variance in two passes. x, residual, y, sum: [Rows, Columns]; gamma, beta:
/// [Columns]; mean, rstd: [Rows], float32 (float64 when x is). Without residual and dropout s is x and Sum is not
/// written. What the activation was applied to is not kept: backward computes it again. Source: Ba et al. 2016.
/// </summary>
public readonly struct LayerNormArgs
{
    /// <summary>Input.</summary>
    public BufferView X { get; init; }

    /// <summary>Added to the input, or absent.</summary>
    public BufferView Residual { get; init; }

    /// <summary>Scale, or absent.</summary>
    public BufferView Gamma { get; init; }

    /// <summary>Shift, or absent.</summary>
    public BufferView Beta { get; init; }

    /// <summary>Output.</summary>
    public BufferView Y { get; init; }

    /// <summary>s, written when residual or dropout is given (backward needs it); may be X.</summary>
    public BufferView Sum { get; init; }

    /// <summary>Mean per row, written; or absent.</summary>
    public BufferView Mean { get; init; }

    /// <summary>Reciprocal deviation per row, written; or absent.</summary>
    public BufferView Rstd { get; init; }

    /// <summary>Number of rows.</summary>
    public long Rows { get; init; }

    /// <summary>Elements per row, at least 1.</summary>
    public int Columns { get; init; }

    /// <summary>Added to the variance.</summary>
    public double Eps { get; init; }

    /// <summary>Dropout of x before the sum.</summary>
    public DropoutSource Dropout { get; init; }

    /// <summary>Function applied to the normalised values.</summary>
    public Activation Activation { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("LayerNorm", X);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        Kernels.Check.That("LayerNorm", Columns >= 1, $"rows must have at least 1 element; got {Columns}.");
        Kernels.Check.Holds("LayerNorm", X, Rows * Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNorm", Residual, Rows * Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNorm", Gamma, Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNorm", Beta, Columns, type);
        Kernels.Check.Holds("LayerNorm", Y, Rows * Columns, type);
        if (!Residual.IsNone || Dropout.IsActive) Kernels.Check.Holds("LayerNorm", Sum, Rows * Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNorm", Mean, Rows, statistics);
        Kernels.Check.HoldsIfGiven("LayerNorm", Rstd, Rows, statistics);
        Dropout.Check("LayerNorm", Rows * Columns);
    }
}

/// <summary>
/// With h = (s - mean) * rstd, a = dy * activation'(h * gamma + beta) and g = a * gamma: ds = rstd * (g - mean(g) -
/// h * mean(g * h)); dresidual = ds, dx = ds * keep / (1 - p); dgamma (+)= sum over rows of a * h, dbeta (+)= sum of a,
/// rows added in chunks fixed by the shape. Absent outputs are skipped.
/// </summary>
public readonly struct LayerNormBackwardArgs
{
    /// <summary>s of the forward call (x itself without residual and dropout).</summary>
    public BufferView Sum { get; init; }

    /// <summary>Kept means.</summary>
    public BufferView Mean { get; init; }

    /// <summary>Kept reciprocal deviations.</summary>
    public BufferView Rstd { get; init; }

    /// <summary>Scale, or absent.</summary>
    public BufferView Gamma { get; init; }

    /// <summary>Shift, or absent; read only with an activation.</summary>
    public BufferView Beta { get; init; }

    /// <summary>Gradient of the output.</summary>
    public BufferView DY { get; init; }

    /// <summary>Gradient of x, or absent; may be dy.</summary>
    public BufferView DX { get; init; }

    /// <summary>Gradient of the residual, or absent; may be dx when there is no dropout.</summary>
    public BufferView DResidual { get; init; }

    /// <summary>Gradient of gamma, or absent.</summary>
    public BufferView DGamma { get; init; }

    /// <summary>Gradient of beta, or absent.</summary>
    public BufferView DBeta { get; init; }

    /// <summary>Number of rows.</summary>
    public long Rows { get; init; }

    /// <summary>Elements per row.</summary>
    public int Columns { get; init; }

    /// <summary>As in the forward call.</summary>
    public DropoutSource Dropout { get; init; }

    /// <summary>As in the forward call.</summary>
    public Activation Activation { get; init; }

    /// <summary>Add to dgamma.</summary>
    public bool AccumulateGamma { get; init; }

    /// <summary>Add to dbeta.</summary>
    public bool AccumulateBeta { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("LayerNormBackward", Sum);
        var statistics = type == DType.Float64 ? DType.Float64 : DType.Float32;
        Kernels.Check.Holds("LayerNormBackward", Sum, Rows * Columns, type);
        Kernels.Check.Holds("LayerNormBackward", Mean, Rows, statistics);
        Kernels.Check.Holds("LayerNormBackward", Rstd, Rows, statistics);
        Kernels.Check.HoldsIfGiven("LayerNormBackward", Gamma, Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNormBackward", Beta, Columns, type);
        Kernels.Check.Holds("LayerNormBackward", DY, Rows * Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNormBackward", DX, Rows * Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNormBackward", DResidual, Rows * Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNormBackward", DGamma, Columns, type);
        Kernels.Check.HoldsIfGiven("LayerNormBackward", DBeta, Columns, type);
        Dropout.Check("LayerNormBackward", Rows * Columns);
    }
}
