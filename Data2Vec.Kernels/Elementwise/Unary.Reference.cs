namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Unary(in UnaryArgs a)
    {
        for (long i = 0; i < a.Count; i++) Set(a.Y, i, ElementFunctions.Apply(a.Op, Get(a.X, i), a.A, a.B));
    }

    /// <inheritdoc/>
    public void UnaryBackward(in UnaryBackwardArgs a)
    {
        for (long i = 0; i < a.Count; i++)
            Set(a.DX, i, Get(a.DY, i) * ElementFunctions.Slope(a.Op, Get(a.X, i), a.A, a.B));
    }
}
