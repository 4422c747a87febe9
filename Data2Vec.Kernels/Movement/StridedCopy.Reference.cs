namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void StridedCopy(in StridedCopyArgs a)
    {
        var walk = new StridedWalk(a.Shape);
        var count = a.Shape.Count;
        for (long i = 0; i < count; i++, walk.Next())
        {
            var from = walk.Offset(a.XStrides);
            var to = walk.Offset(a.YStrides);
            if (a.Accumulate) Set(a.Y, to, Get(a.Y, to) + Get(a.X, from));
            else if (a.X.DType == DType.Int64) SetIndex(a.Y, to, GetIndex(a.X, from));
            else Set(a.Y, to, Get(a.X, from));
        }
    }
}
