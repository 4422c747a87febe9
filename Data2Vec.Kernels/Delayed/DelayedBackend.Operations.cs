namespace Data2Vec.Kernels;

public sealed partial class DelayedBackend
{
    // Element-wise and movement
    /// <inheritdoc/>
    public void Unary(in UnaryArgs a) =>
        Defer(a, static (IBackend b, in UnaryArgs x) => b.Unary(x));
    /// <inheritdoc/>
    public void UnaryBackward(in UnaryBackwardArgs a) =>
        Defer(a, static (IBackend b, in UnaryBackwardArgs x) => b.UnaryBackward(x));
    /// <inheritdoc/>
    public void Binary(in BinaryArgs a) =>
        Defer(a, static (IBackend b, in BinaryArgs x) => b.Binary(x));
    /// <inheritdoc/>
    public void BinaryBackward(in BinaryBackwardArgs a) =>
        Defer(a, static (IBackend b, in BinaryBackwardArgs x) => b.BinaryBackward(x));
    /// <inheritdoc/>
    public void Where(in WhereArgs a) =>
        Defer(a, static (IBackend b, in WhereArgs x) => b.Where(x));
    /// <inheritdoc/>
    public void StridedCopy(in StridedCopyArgs a) =>
        Defer(a, static (IBackend b, in StridedCopyArgs x) => b.StridedCopy(x));
    /// <inheritdoc/>
    public void Fill(in FillArgs a) =>
        Defer(a, static (IBackend b, in FillArgs x) => b.Fill(x));
    /// <inheritdoc/>
    public void Cast(in CastArgs a) =>
        Defer(a, static (IBackend b, in CastArgs x) => b.Cast(x));
    // Reductions and softmax
    /// <inheritdoc/>
    public void Reduce(in ReduceArgs a) =>
        Defer(a, static (IBackend b, in ReduceArgs x) => b.Reduce(x));
    /// <inheritdoc/>
    public void Softmax(in SoftmaxArgs a) =>
        Defer(a, static (IBackend b, in SoftmaxArgs x) => b.Softmax(x));
    /// <inheritdoc/>
    public void SoftmaxBackward(in SoftmaxBackwardArgs a) =>
        Defer(a, static (IBackend b, in SoftmaxBackwardArgs x) => b.SoftmaxBackward(x));
    // Linear algebra
    /// <inheritdoc/>
    public void MatMul(in MatMulArgs a) =>
        Defer(a, static (IBackend b, in MatMulArgs x) => b.MatMul(x));
    /// <inheritdoc/>
    public void Linear(in LinearArgs a) =>
        Defer(a, static (IBackend b, in LinearArgs x) => b.Linear(x));
    /// <inheritdoc/>
    public void LinearBackward(in LinearBackwardArgs a) =>
        Defer(a, static (IBackend b, in LinearBackwardArgs x) => b.LinearBackward(x));
    /// <inheritdoc/>
    public void Conv1d(in Conv1dArgs a) =>
        Defer(a, static (IBackend b, in Conv1dArgs x) => b.Conv1d(x));
    /// <inheritdoc/>
    public void Conv1dBackward(in Conv1dBackwardArgs a) =>
        Defer(a, static (IBackend b, in Conv1dBackwardArgs x) => b.Conv1dBackward(x));
    /// <inheritdoc/>
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a) =>
        Defer(a, static (IBackend b, in Conv1dLayerNormArgs x) => b.Conv1dLayerNorm(x));
    // Attention
    /// <inheritdoc/>
    public void Attention(in AttentionArgs a) =>
        Defer(a, static (IBackend b, in AttentionArgs x) => b.Attention(x));
    /// <inheritdoc/>
    public void AttentionBackward(in AttentionBackwardArgs a) =>
        Defer(a, static (IBackend b, in AttentionBackwardArgs x) => b.AttentionBackward(x));
    // Normalisation
    /// <inheritdoc/>
    public void LayerNorm(in LayerNormArgs a) =>
        Defer(a, static (IBackend b, in LayerNormArgs x) => b.LayerNorm(x));
    /// <inheritdoc/>
    public void LayerNormBackward(in LayerNormBackwardArgs a) =>
        Defer(a, static (IBackend b, in LayerNormBackwardArgs x) => b.LayerNormBackward(x));
    /// <inheritdoc/>
    public void InstanceNorm(in InstanceNormArgs a) =>
        Defer(a, static (IBackend b, in InstanceNormArgs x) => b.InstanceNorm(x));
    /// <inheritdoc/>
    public void InstanceNormBackward(in InstanceNormBackwardArgs a) =>
        Defer(a, static (IBackend b, in InstanceNormBackwardArgs x) => b.InstanceNormBackward(x));
    // Rows and dropout
    /// <inheritdoc/>
    public void GatherRows(in GatherRowsArgs a) =>
        Defer(a, static (IBackend b, in GatherRowsArgs x) => b.GatherRows(x));
    /// <inheritdoc/>
    public void ScatterRows(in ScatterRowsArgs a) =>
        Defer(a, static (IBackend b, in ScatterRowsArgs x) => b.ScatterRows(x));
    /// <inheritdoc/>
    public void Gather(in GatherArgs a) =>
        Defer(a, static (IBackend b, in GatherArgs x) => b.Gather(x));
    /// <inheritdoc/>
    public void Scatter(in ScatterArgs a) =>
        Defer(a, static (IBackend b, in ScatterArgs x) => b.Scatter(x));
    /// <inheritdoc/>
    public void MaskRows(in MaskRowsArgs a) =>
        Defer(a, static (IBackend b, in MaskRowsArgs x) => b.MaskRows(x));
    /// <inheritdoc/>
    public void MaskRowsBackward(in MaskRowsBackwardArgs a) =>
        Defer(a, static (IBackend b, in MaskRowsBackwardArgs x) => b.MaskRowsBackward(x));
    /// <inheritdoc/>
    public void Dropout(in DropoutArgs a) =>
        Defer(a, static (IBackend b, in DropoutArgs x) => b.Dropout(x));
    // Losses
    /// <inheritdoc/>
    public void SmoothL1(in SmoothL1Args a) =>
        Defer(a, static (IBackend b, in SmoothL1Args x) => b.SmoothL1(x));
    /// <inheritdoc/>
    public void SmoothL1Backward(in SmoothL1BackwardArgs a) =>
        Defer(a, static (IBackend b, in SmoothL1BackwardArgs x) => b.SmoothL1Backward(x));
    /// <inheritdoc/>
    public void CrossEntropy(in CrossEntropyArgs a) =>
        Defer(a, static (IBackend b, in CrossEntropyArgs x) => b.CrossEntropy(x));
    /// <inheritdoc/>
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a) =>
        Defer(a, static (IBackend b, in CrossEntropyBackwardArgs x) => b.CrossEntropyBackward(x));
    /// <inheritdoc/>
    public void CtcLoss(in CtcLossArgs a) =>
        Defer(a, static (IBackend b, in CtcLossArgs x) => b.CtcLoss(x));
    /// <inheritdoc/>
    public void CtcLossBackward(in CtcLossBackwardArgs a) =>
        Defer(a, static (IBackend b, in CtcLossBackwardArgs x) => b.CtcLossBackward(x));
    // Targets
    /// <inheritdoc/>
    public void Targets(in TargetsArgs a) =>
        Defer(a, static (IBackend b, in TargetsArgs x) => b.Targets(x));
    // Training step, over flat buffers
    /// <inheritdoc/>
    public void GradientNorm(in GradientNormArgs a) =>
        Defer(a, static (IBackend b, in GradientNormArgs x) => b.GradientNorm(x));
    /// <inheritdoc/>
    public void Adam(in AdamArgs a) =>
        Defer(a, static (IBackend b, in AdamArgs x) => b.Adam(x));
    /// <inheritdoc/>
    public void Ema(in EmaArgs a) =>
        Defer(a, static (IBackend b, in EmaArgs x) => b.Ema(x));
    /// <inheritdoc/>
    public void AdamWithEma(in AdamWithEmaArgs a) =>
        Defer(a, static (IBackend b, in AdamWithEmaArgs x) => b.AdamWithEma(x));
}
