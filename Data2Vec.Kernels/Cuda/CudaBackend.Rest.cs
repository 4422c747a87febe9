namespace Data2Vec.Kernels;

/// <content>Operations that ILGPU's kernels do. Each moves to the folder of its name when kernels/ has it.</content>
public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Unary(in UnaryArgs a) => rest.Unary(a);

    /// <inheritdoc/>
    public void UnaryBackward(in UnaryBackwardArgs a) => rest.UnaryBackward(a);

    /// <inheritdoc/>
    public void Binary(in BinaryArgs a) => rest.Binary(a);

    /// <inheritdoc/>
    public void BinaryBackward(in BinaryBackwardArgs a) => rest.BinaryBackward(a);

    /// <inheritdoc/>
    public void Where(in WhereArgs a) => rest.Where(a);

    /// <inheritdoc/>
    public void StridedCopy(in StridedCopyArgs a) => rest.StridedCopy(a);

    /// <inheritdoc/>
    public void Fill(in FillArgs a) => rest.Fill(a);

    /// <inheritdoc/>
    public void Cast(in CastArgs a) => rest.Cast(a);

    /// <inheritdoc/>
    public void Reduce(in ReduceArgs a) => rest.Reduce(a);

    /// <inheritdoc/>
    public void Softmax(in SoftmaxArgs a) => rest.Softmax(a);

    /// <inheritdoc/>
    public void SoftmaxBackward(in SoftmaxBackwardArgs a) => rest.SoftmaxBackward(a);

    /// <inheritdoc/>
    public void InstanceNorm(in InstanceNormArgs a) => rest.InstanceNorm(a);

    /// <inheritdoc/>
    public void InstanceNormBackward(in InstanceNormBackwardArgs a) => rest.InstanceNormBackward(a);

    /// <inheritdoc/>
    public void GatherRows(in GatherRowsArgs a) => rest.GatherRows(a);

    /// <inheritdoc/>
    public void ScatterRows(in ScatterRowsArgs a) => rest.ScatterRows(a);

    /// <inheritdoc/>
    public void Gather(in GatherArgs a) => rest.Gather(a);

    /// <inheritdoc/>
    public void Scatter(in ScatterArgs a) => rest.Scatter(a);

    /// <inheritdoc/>
    public void MaskRows(in MaskRowsArgs a) => rest.MaskRows(a);

    /// <inheritdoc/>
    public void MaskRowsBackward(in MaskRowsBackwardArgs a) => rest.MaskRowsBackward(a);

    /// <inheritdoc/>
    public void Dropout(in DropoutArgs a) => rest.Dropout(a);
}
