namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Fill(in FillArgs a)
    {
        for (long i = 0; i < a.Count; i++) Set(a.Y, i, a.Value);
    }
}
