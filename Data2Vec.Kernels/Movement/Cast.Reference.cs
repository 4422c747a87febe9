namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Cast(in CastArgs a)
    {
        var integers = a.X.DType is DType.Int32 or DType.Int64 && a.Y.DType is DType.Int32 or DType.Int64;
        for (long i = 0; i < a.Count; i++)
        {
            if (integers) SetIndex(a.Y, i, GetIndex(a.X, i));
            else Set(a.Y, i, Get(a.X, i));
        }
    }

    private static unsafe void SetIndex(BufferView view, long index, long value)
    {
        if (view.DType == DType.Int32) HostTransfer.Address<int>(view)[index] = checked((int)value);
        else HostTransfer.Address<long>(view)[index] = value;
    }
}
