using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Operations whose kernels read indices, as numbers that a kernel can store.</summary>
internal enum IndexedOp
{
    None,
    GatherRows,
    ScatterRows,
    Gather,
    Scatter,
    CrossEntropy,
    SmoothL1,

    /// <summary>Not an index: an int64 that int32 cannot hold.</summary>
    Cast,

    /// <summary>The frames of a sample; the position is its number, here and below.</summary>
    CtcFrames,
    CtcLabels,
    CtcLabel,
}

/// <summary>
/// The first bad index that a kernel met, in device memory: kernels cannot throw, so they note it here, leave the element
/// out, and the host reads it at its next wait.
/// </summary>
internal struct Fault
{
    /// <summary>An <see cref="IndexedOp"/>; 0 = nothing happened.</summary>
    public int Op;

    /// <summary>1 once somebody has begun to write.</summary>
    public int Taken;

    /// <summary>Where the index stands in its list.</summary>
    public long Position;

    /// <summary>The index.</summary>
    public long Index;

    /// <summary>What it had to be below.</summary>
    public long Limit;

    /// <summary>True when 0 &lt;= index &lt; limit; otherwise the fault is noted.</summary>
    public static bool Admits(ArrayView<Fault> fault, IndexedOp op, long index, long position, long limit)
    {
        if (index >= 0 && index < limit) return true;
        Note(fault, op, index, position, limit);
        return false;
    }

    /// <summary>Keeps the fault for the host, unless there is one already.</summary>
    public static void Note(ArrayView<Fault> fault, IndexedOp op, long index, long position, long limit)
    {
        if (Atomic.CompareExchange(ref fault[0].Taken, 0, 1) == 0)
        {
            fault[0].Position = position;
            fault[0].Index = index;
            fault[0].Limit = limit;
            fault[0].Op = (int)op;
        }
    }
}
