namespace Data2Vec.Kernels;

public sealed partial class WideningBackend
{
    // Types pass through these as they are; the optimiser's state is float32.
    /// <inheritdoc/>
    public void Where(in WhereArgs a) => inner.Where(a);

    /// <inheritdoc/>
    public void Fill(in FillArgs a) => inner.Fill(a);

    /// <inheritdoc/>
    public void Cast(in CastArgs a) => inner.Cast(a);

    /// <inheritdoc/>
    public void GatherRows(in GatherRowsArgs a) => inner.GatherRows(a);

    /// <inheritdoc/>
    public void Gather(in GatherArgs a) => inner.Gather(a);

    /// <inheritdoc/>
    public void GradientNorm(in GradientNormArgs a) => inner.GradientNorm(a);

    /// <inheritdoc/>
    public void Adam(in AdamArgs a) => inner.Adam(a);

    /// <inheritdoc/>
    public void Ema(in EmaArgs a) => inner.Ema(a);

    /// <inheritdoc/>
    public void AdamWithEma(in AdamWithEmaArgs a) => inner.AdamWithEma(a);

    // Everything else computes; Widened passes operands of other types through.
    /// <inheritdoc/>
    public void Unary(in UnaryArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Unary(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void UnaryBackward(in UnaryBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.UnaryBackward(a with { X = w.In(a.X), DY = w.In(a.DY), DX = w.Out(a.DX) });
    }

    /// <inheritdoc/>
    public void Binary(in BinaryArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Binary(a with { X = w.In(a.X), Y = w.In(a.Y), Z = w.Out(a.Z) });
    }

    /// <inheritdoc/>
    public void BinaryBackward(in BinaryBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.BinaryBackward(a with
        {
            X = w.In(a.X), Y = w.In(a.Y), DZ = w.In(a.DZ), DX = w.Out(a.DX), DY = w.Out(a.DY),
        });
    }

    /// <inheritdoc/>
    public void StridedCopy(in StridedCopyArgs a)
    {
        if (!a.Accumulate)
        {
            inner.StridedCopy(a);
            return;
        }
        using var w = new Widened(inner, wide);
        inner.StridedCopy(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void Reduce(in ReduceArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Reduce(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void Softmax(in SoftmaxArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Softmax(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void SoftmaxBackward(in SoftmaxBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.SoftmaxBackward(a with { Y = w.In(a.Y), DY = w.In(a.DY), DX = w.Out(a.DX) });
    }

    /// <inheritdoc/>
    public void MatMul(in MatMulArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.MatMul(a with { A = w.In(a.A), B = w.In(a.B), C = w.Out(a.C) });
    }

    /// <inheritdoc/>
    public void Linear(in LinearArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Linear(a with
        {
            X = w.In(a.X), W = w.In(a.W), Bias = w.In(a.Bias), PreActivation = w.Out(a.PreActivation),
            Y = w.Out(a.Y),
        });
    }

    /// <inheritdoc/>
    public void LinearBackward(in LinearBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.LinearBackward(a with
        {
            X = w.In(a.X), W = w.In(a.W), PreActivation = w.In(a.PreActivation), DY = w.In(a.DY),
            Scratch = w.Out(a.Scratch), InputPreActivation = w.In(a.InputPreActivation), DX = w.Out(a.DX), DW = w.Out(a.DW),
            DBias = w.Out(a.DBias),
        });
    }

    /// <inheritdoc/>
    public void Conv1d(in Conv1dArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Conv1d(a with
        {
            X = w.In(a.X), W = w.In(a.W), Bias = w.In(a.Bias), PreActivation = w.Out(a.PreActivation),
            Y = w.Out(a.Y),
        });
    }

    /// <inheritdoc/>
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a) => Conv1dThenLayerNorm.Run(this, a);

    /// <inheritdoc/>
    public void Conv1dBackward(in Conv1dBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Conv1dBackward(a with
        {
            X = w.In(a.X), W = w.In(a.W), PreActivation = w.In(a.PreActivation), DY = w.In(a.DY),
            Scratch = w.Out(a.Scratch), DX = w.Out(a.DX), DW = w.Out(a.DW), DBias = w.Out(a.DBias),
        });
    }

    /// <inheritdoc/>
    public void Attention(in AttentionArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Attention(a with
        {
            Q = w.In(a.Q), K = w.In(a.K), V = w.In(a.V), Bias = w.In(a.Bias), Slopes = w.In(a.Slopes),
            O = w.Out(a.O), Probabilities = w.Out(a.Probabilities),
        });
    }

    /// <inheritdoc/>
    public void AttentionBackward(in AttentionBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.AttentionBackward(a with
        {
            Q = w.In(a.Q), K = w.In(a.K), V = w.In(a.V), Bias = w.In(a.Bias), Slopes = w.In(a.Slopes),
            O = w.In(a.O), DO = w.In(a.DO), DQ = w.Out(a.DQ), DK = w.Out(a.DK), DV = w.Out(a.DV),
            DBias = w.Out(a.DBias), DSlopes = w.Out(a.DSlopes),
        });
    }

    /// <inheritdoc/>
    public void LayerNorm(in LayerNormArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.LayerNorm(a with
        {
            X = w.In(a.X), Residual = w.In(a.Residual), Gamma = w.In(a.Gamma), Beta = w.In(a.Beta),
            Y = w.Out(a.Y), Sum = w.Out(a.Sum),
        });
    }

    /// <inheritdoc/>
    public void LayerNormBackward(in LayerNormBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.LayerNormBackward(a with
        {
            Sum = w.In(a.Sum), Gamma = w.In(a.Gamma), Beta = w.In(a.Beta), DY = w.In(a.DY), DX = w.Out(a.DX),
            DResidual = w.Out(a.DResidual), DGamma = w.Out(a.DGamma), DBeta = w.Out(a.DBeta),
        });
    }

    /// <inheritdoc/>
    public void InstanceNorm(in InstanceNormArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.InstanceNorm(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void InstanceNormBackward(in InstanceNormBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.InstanceNormBackward(a with { X = w.In(a.X), DY = w.In(a.DY), DX = w.Out(a.DX) });
    }

    /// <inheritdoc/>
    public void ScatterRows(in ScatterRowsArgs a)
    {
        if (!a.Accumulate)
        {
            inner.ScatterRows(a);
            return;
        }
        using var w = new Widened(inner, wide);
        inner.ScatterRows(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void Scatter(in ScatterArgs a)
    {
        if (!a.Accumulate)
        {
            inner.Scatter(a);
            return;
        }
        using var w = new Widened(inner, wide);
        inner.Scatter(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void MaskRows(in MaskRowsArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.MaskRows(a with { X = w.In(a.X), Vector = w.In(a.Vector), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void MaskRowsBackward(in MaskRowsBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.MaskRowsBackward(a with { DY = w.In(a.DY), DX = w.Out(a.DX), DVector = w.Out(a.DVector) });
    }

    /// <inheritdoc/>
    public void Dropout(in DropoutArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.Dropout(a with { X = w.In(a.X), Y = w.Out(a.Y) });
    }

    /// <inheritdoc/>
    public void SmoothL1(in SmoothL1Args a)
    {
        using var w = new Widened(inner, wide);
        inner.SmoothL1(a with { X = w.In(a.X), Target = w.In(a.Target), Loss = w.Out(a.Loss) });
    }

    /// <inheritdoc/>
    public void SmoothL1Backward(in SmoothL1BackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.SmoothL1Backward(a with
        {
            X = w.In(a.X), Target = w.In(a.Target), DLoss = w.In(a.DLoss), DX = w.Out(a.DX),
            DTarget = w.Out(a.DTarget),
        });
    }

    /// <inheritdoc/>
    public void CrossEntropy(in CrossEntropyArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.CrossEntropy(a with { X = w.In(a.X), Weight = w.In(a.Weight), Loss = w.Out(a.Loss) });
    }

    /// <inheritdoc/>
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.CrossEntropyBackward(a with
        {
            X = w.In(a.X), Weight = w.In(a.Weight), DLoss = w.In(a.DLoss), DX = w.Out(a.DX),
        });
    }

    /// <inheritdoc/>
    public void CtcLoss(in CtcLossArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.CtcLoss(a with { X = w.In(a.X), Loss = w.Out(a.Loss) });
    }

    /// <inheritdoc/>
    public void CtcLossBackward(in CtcLossBackwardArgs a)
    {
        using var w = new Widened(inner, wide);
        inner.CtcLossBackward(a with { X = w.In(a.X), DLoss = w.In(a.DLoss), DX = w.Out(a.DX) });
    }

    /// <inheritdoc/>
    public void Targets(in TargetsArgs a)
    {
        using var w = new Widened(inner, wide);
        var layers = a.Layers;
        for (var k = 0; k < a.LayerCount; k++) layers[k] = w.In(layers[k]);
        inner.Targets(a with { Layers = layers });
    }
}
