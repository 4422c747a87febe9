namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Where(in WhereArgs a)
    {
        var walk = new StridedWalk(a.Shape);
        var count = a.Shape.Count;
        for (long i = 0; i < count; i++, walk.Next())
        {
            var x = Get(a.X, walk.Offset(a.XStrides));
            var y = Get(a.Y, walk.Offset(a.YStrides));
            Set(a.Z, i, Get(a.Condition, walk.Offset(a.ConditionStrides)) != 0 ? x : y);
        }
    }
}
