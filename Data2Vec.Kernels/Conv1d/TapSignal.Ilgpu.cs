using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// A signal [samples, Time, Channels] seen as rows of taps: row r of a sample holds taps of Width channels, its tap
/// k being frame Start + r * RowStep + k * TapStep, zeros outside of the signal. A convolution is a product of such
/// rows with a matrix, and so are both of its gradients; nothing of the rows is ever written to memory.
/// </summary>
internal struct TapSignal<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>Not empty.</summary>
    public ArrayView<T> Data;

    /// <summary>Rows of a sample, and channels that a row sees.</summary>
    public Divisor Rows, Width;

    public int Time, Channels, Start, RowStep, TapStep;

    /// <summary>Elements of a sample.</summary>
    public long SampleSize;

    /// <summary>Where a row of any sample begins.</summary>
    public readonly LinePlace Row(int row)
    {
        var sample = Rows.Divide(row, out var within);
        var frame = Start + within * RowStep;
        return new LinePlace { Frame = frame, Offset = sample * SampleSize + (long)frame * Channels };
    }

    /// <summary>Where an element of a row lies, relative to the begin of the row.</summary>
    public readonly LinePlace Tap(int index)
    {
        var tap = Width.Divide(index, out var channel);
        return new LinePlace { Frame = tap * TapStep, Offset = (long)(tap * TapStep) * Channels + channel };
    }

    /// <summary>The element at the sum of two places; 0 in the padding and where nothing is asked for.</summary>
    public readonly float Read(in LinePlace row, in LinePlace tap, bool isWanted)
    {
        var inside = isWanted & (uint)(row.Frame + tap.Frame) < (uint)Time;
        var value = Data[inside ? row.Offset + tap.Offset : 0].Widen();
        return inside ? value : 0;
    }
}

/// <summary>Rows of taps as the lines of an operand, taps being summed over.</summary>
internal struct TapLines<T> : IProductOperand
    where T : unmanaged, IElement<T>
{
    /// <summary>A frame that no tap brings back into a signal.</summary>
    private const int Nowhere = -(1 << 30);

    public TapSignal<T> Signal;

    private TileWalk walk;
    private ArrayView<LinePlace> places;
    private LinePlace tap;
    private int line, inner, innerEnd;

    public readonly bool InnerFirst => true;

    public readonly bool IsInside => false;

    public void Begin(
        long from, TileWalk tileWalk, int firstLine, int lines, int firstInner, int end, ArrayView<LinePlace> room)
    {
        walk = tileWalk;
        places = room;
        for (var i = Group.IdxX; i < walk.Lines; i += Group.DimX)
        {
            var place = Signal.Row(firstLine + i);
            place.Offset += from;
            if (firstLine + i >= lines) place.Frame = Nowhere;
            places[i] = place;
        }
        Group.Barrier();
        line = walk.Line;
        inner = firstInner + walk.Inner;
        innerEnd = end;
        tap = Signal.Tap(inner);
    }

    public float Next()
    {
        var value = Signal.Read(places[line], tap, inner < innerEnd);
        line += walk.LineStep;
        return value;
    }

    public float NextInside() => Next();

    public void Advance()
    {
        line = walk.Line;
        inner += walk.Depth;
        tap = Signal.Tap(inner);
    }
}

/// <summary>Taps as the lines of an operand, rows of taps being summed over.</summary>
internal struct TapInners<T> : IProductOperand
    where T : unmanaged, IElement<T>
{
    public TapSignal<T> Signal;

    private TileWalk walk;
    private LinePlace tap;
    private int inner, innerEnd, hasLine;

    public readonly bool InnerFirst => false;

    public readonly bool IsInside => false;

    public void Begin(
        long from, TileWalk tileWalk, int firstLine, int lines, int firstInner, int end, ArrayView<LinePlace> room)
    {
        walk = tileWalk;
        tap = Signal.Tap(firstLine + walk.Line);
        tap.Offset += from;
        hasLine = firstLine + walk.Line < lines ? 1 : 0;
        inner = firstInner + walk.Inner;
        innerEnd = end;
    }

    public float Next()
    {
        var value = Signal.Read(Signal.Row(inner), tap, hasLine != 0 & inner < innerEnd);
        inner += walk.InnerStep;
        return value;
    }

    public float NextInside() => Next();

    public void Advance() => inner += walk.Depth - walk.Passes * walk.InnerStep;
}
