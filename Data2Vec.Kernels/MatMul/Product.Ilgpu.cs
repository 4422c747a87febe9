using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// An operand of a tiled product: numbers with two indices, that of the line (a row of the left matrix, a column of
/// the right one) and that of the inner extent, over which is summed. Each thread of a group carries its own copy
/// through the tiles: <see cref="Begin"/>, then for each tile <see cref="Next"/> once for each pass and
/// <see cref="Advance"/>.
/// </summary>
internal interface IProductOperand
{
    /// <summary>
    /// True when neighbours in memory are neighbours along the inner extent, false when they are along the lines:
    /// threads of a warp take neighbours in memory.
    /// </summary>
    bool InnerFirst { get; }

    /// <summary>Places the thread at its first element. Every thread of the group calls.</summary>
    /// <param name="from">Offset of the matrix.</param>
    /// <param name="walk">Where the thread begins in a tile, and how it steps.</param>
    /// <param name="line">First line of the tile.</param>
    /// <param name="lines">Lines that exist.</param>
    /// <param name="inner">First inner index of the sum.</param>
    /// <param name="innerEnd">Behind the last one.</param>
    /// <param name="places">Shared memory for as many lines as a tile has.</param>
    void Begin(long from, TileWalk walk, int line, int lines, int inner, int innerEnd, ArrayView<LinePlace> places);

    /// <summary>
    /// True when all of the tile is known to lie inside of the matrix; the same for every thread of the group.
    /// </summary>
    bool IsInside { get; }

    /// <summary>The element of the next pass; 0 outside of the matrix.</summary>
    float Next();

    /// <summary>The element of the next pass of a tile that lies inside.</summary>
    float NextInside();

    /// <summary>To the next tile along the inner extent, after all passes through this one.</summary>
    void Advance();
}

/// <summary>Where a line of an operand begins, kept in shared memory.</summary>
internal struct LinePlace
{
    /// <summary>Offset of its first element.</summary>
    public long Offset;

    /// <summary>Its frame in a signal, which decides what is padding.</summary>
    public int Frame;
}

/// <summary>
/// The elements of a tile that one thread fetches: pass p takes (Line + p LineStep, Inner + p InnerStep).
/// </summary>
internal struct TileWalk
{
    public int Line, Inner, LineStep, InnerStep, Lines, Depth, Passes;

    /// <param name="innerFirst">Neighbouring threads take neighbours along the inner extent.</param>
    /// <param name="lines">Lines of a tile, a power of two.</param>
    /// <param name="depth">Its inner extent, a power of two.</param>
    /// <param name="passes">Elements for each thread.</param>
    public static TileWalk Of(bool innerFirst, int lines, int depth, int passes)
    {
        var threads = lines * depth / passes;
        return new TileWalk
        {
            Line = innerFirst ? Group.IdxX / depth : Group.IdxX & (lines - 1),
            Inner = innerFirst ? Group.IdxX & (depth - 1) : Group.IdxX / lines,
            LineStep = innerFirst ? threads / depth : 0,
            InnerStep = innerFirst ? 0 : threads / lines,
            Lines = lines, Depth = depth, Passes = passes,
        };
    }
}

/// <summary>A matrix with a step along each index, one of which is 1.</summary>
internal struct StridedOperand<T> : IProductOperand
    where T : unmanaged, IElement<T>
{
    public ArrayView<T> Data;

    /// <summary>Elements from one line, one inner index, to the next.</summary>
    public long LineStride, InnerStride;

    private TileWalk walk;
    private long start, at, passStep, tileStep;
    private int line, lines, inner, innerEnd, pass, hasAllLines;

    public readonly bool InnerFirst => InnerStride == 1;

    public readonly bool IsInside => hasAllLines != 0 && inner - walk.Inner + walk.Depth <= innerEnd;

    public void Begin(
        long from, TileWalk tileWalk, int firstLine, int lineCount, int firstInner, int end,
        ArrayView<LinePlace> places)
    {
        walk = tileWalk;
        line = firstLine + walk.Line;
        inner = firstInner + walk.Inner;
        lines = lineCount;
        innerEnd = end;
        hasAllLines = firstLine + walk.Lines <= lines ? 1 : 0;
        start = from;
        at = from + line * LineStride + inner * InnerStride;
        passStep = walk.LineStep * LineStride + walk.InnerStep * InnerStride;
        tileStep = walk.Depth * InnerStride - walk.Passes * passStep;
    }

    public float Next()
    {
        // Outside, the first element is read and left out: a branch for each element would cost more.
        var inside = line + pass * walk.LineStep < lines & inner + pass * walk.InnerStep < innerEnd;
        var value = Data[inside ? at : start].Widen();
        at += passStep;
        pass++;
        return inside ? value : 0;
    }

    public float NextInside()
    {
        var value = Data[at].Widen();
        at += passStep;
        return value;
    }

    public void Advance()
    {
        at += tileStep;
        inner += walk.Depth;
        pass = 0;
    }
}
