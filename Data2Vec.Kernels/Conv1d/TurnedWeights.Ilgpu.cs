using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// The weights of some taps, turned over for the gradient of the input: lines are input channels, the inner extent
/// runs over taps and the output channels of each.
/// </summary>
internal struct TurnedWeights<T> : IProductOperand
    where T : unmanaged, IElement<T>
{
    public ArrayView<T> Data;

    /// <summary>Output channels of a group.</summary>
    public Divisor Outs;

    /// <summary>Elements from one output channel, one tap, to the next.</summary>
    public long OutStep, TapStep;

    private TileWalk walk;
    private long start;
    private int inner, innerEnd, hasLine;

    public readonly bool InnerFirst => false;

    public readonly bool IsInside => false;

    public void Begin(
        long from, TileWalk tileWalk, int firstLine, int lines, int firstInner, int end, ArrayView<LinePlace> room)
    {
        walk = tileWalk;
        hasLine = firstLine + walk.Line < lines ? 1 : 0;
        start = from + (hasLine != 0 ? firstLine + walk.Line : 0);
        inner = firstInner + walk.Inner;
        innerEnd = end;
    }

    public float Next()
    {
        var tap = Outs.Divide(inner, out var channel);
        var inside = hasLine != 0 & inner < innerEnd;
        var value = Data[inside ? start + tap * TapStep + channel * OutStep : start].Widen();
        inner += walk.InnerStep;
        return inside ? value : 0;
    }

    public float NextInside() => Next();

    public void Advance() => inner += walk.Depth - walk.Passes * walk.InnerStep;
}
