using System.Runtime.CompilerServices;
using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>How many pieces of 64 columns a head is cut into; a constant of the compiled kernel.</summary>
internal interface IHeadPieces
{
    int Count { get; }
}

/// <summary>Heads of at most 64 elements.</summary>
internal readonly struct OnePiece : IHeadPieces
{
    public int Count => 1;
}

/// <summary>Heads of 65 to 128 elements.</summary>
internal readonly struct TwoPieces : IHeadPieces
{
    public int Count => 2;
}

/// <summary>4 rows x 4 columns of sums in registers.</summary>
internal struct Block
{
    public Quad R0, R1, R2, R3;
}

/// <summary>4 rows x 8 columns: columns 4x .. 4x+3 of the lower and of the upper half of a piece.</summary>
internal struct WideBlock
{
    public Block Lower, Upper;
}

/// <summary>
/// Tiles of attention in shared memory. A group of 128 threads (or 64, or 32 when there are few rows) is 8 threads wide:
/// thread (x, y) owns rows 4y .. 4y+3 of a tile of two rows per thread (64), columns 4x .. 4x+3 of 32, and 8 columns of a
/// piece of 64 columns of the head: a block of 4x4 scores and one of 4x8 outputs in registers. That needs no variant for
/// smaller heads (the upper half is skipped when there is none), and heads up to 128 keep one block per piece, which still
/// spills nothing. A warp has 16 rows of its own, so what passes from its scores to its outputs needs no barrier of the group.
/// </summary>
/// <remarks>
/// All tiles hold float32 in units of four. Unit c of row r lies at c ^ (r / 4 mod 8): the eight x (or the four y) of a warp
/// then read from different banks, whichever way a tile is walked.
/// </remarks>
internal static class AttentionTile
{
    /// <summary>Threads of a group that has rows enough.</summary>
    public const int MostThreads = 128;

    /// <summary>Rows of the smaller tile.</summary>
    public const int Columns = 32;

    /// <summary>Elements of a head in one tile.</summary>
    public const int Piece = 64;

    /// <summary>Units of a row of a piece, of a tile of all rows, of a tile of columns, and of scores.</summary>
    public const int RowUnits = Piece / 4;
    public const int RowsUnits = MostThreads / 2 * RowUnits;
    public const int ColumnsUnits = Columns * RowUnits;
    public const int ScoreUnits = MostThreads / 2 * Columns / 4;

    /// <summary>Rows of the larger tile: 16 for each warp.</summary>
    public static int Rows => Group.DimX / 2;

    /// <summary>Column of blocks of this thread.</summary>
    public static int X => Group.IdxX & 7;

    /// <summary>Row of blocks of this thread.</summary>
    public static int Y => Group.IdxX >> 3;

    /// <summary>The first row of this thread's warp.</summary>
    public static int WarpRow => (Group.IdxX >> 5) * 16;

    /// <summary>Threads for a number of rows: 16 rows a warp, one, two or four warps.</summary>
    public static int Threads(int rows) => rows <= 16 ? 32 : rows <= 32 ? 64 : MostThreads;

    /// <summary>
    /// Fills a tile with rows of a head times a factor, zeros behind the last row and column. Every thread of the group must
    /// call. Whole = rows start at multiples of 4 elements and have a multiple of 4 of them.
    /// </summary>
    /// <param name="tile">Shared memory.</param>
    /// <param name="source">The operand.</param>
    /// <param name="first">Element of the first row's first column.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="rows">Rows that there are; at least 1.</param>
    /// <param name="tileRows">Rows of the tile.</param>
    /// <param name="columns">Columns that there are, at most a piece.</param>
    /// <param name="factor">What everything is multiplied by.</param>
    /// <param name="whole">1 = read four elements at once.</param>
    public static void Load<T>(
        ArrayView<Quad> tile, ArrayView<T> source, long first, int stride, int rows, int tileRows, int columns, float factor,
        int whole)
        where T : unmanaged, IElement<T>
    {
        var c = Group.IdxX & 15;
        var step = Group.DimX >> 4;
        if (c * 4 >= columns)
        {
            // Products with 32 or 64 columns run over what is behind the last one.
            if (c * 4 < ((columns + 31) & ~31))
                for (var r = Group.IdxX >> 4; r < tileRows; r += step) tile[Unit(r, c)] = default;
            return;
        }
        var last = rows - 1;
        if (whole != 0)
        {
            // Units first, then the part: a view of elements is not known to be aligned.
            var units = source.Cast<Four<T>>().SubView(first >> 2);
            var row = stride >> 2;
            // Four at a time: their way from memory is longer than everything else here.
            for (var r = Group.IdxX >> 4; r < tileRows; r += 4 * step)
            {
                var a = units[IntrinsicMath.Min(r, last) * row + c];
                var b = units[IntrinsicMath.Min(r + step, last) * row + c];
                var d = units[IntrinsicMath.Min(r + 2 * step, last) * row + c];
                var e = units[IntrinsicMath.Min(r + 3 * step, last) * row + c];
                tile[Unit(r, c)] = Widen(a, factor, r < rows);
                tile[Unit(r + step, c)] = Widen(b, factor, r + step < rows);
                tile[Unit(r + 2 * step, c)] = Widen(d, factor, r + 2 * step < rows);
                tile[Unit(r + 3 * step, c)] = Widen(e, factor, r + 3 * step < rows);
            }
            return;
        }
        var from = source.SubView(first);
        var left = columns - 1 - c * 4;
        for (var r = Group.IdxX >> 4; r < tileRows; r += step)
        {
            var at = IntrinsicMath.Min(r, last) * stride + c * 4;
            var unit = new Four<T>
            {
                A = from[at], B = from[at + IntrinsicMath.Min(1, left)], C = from[at + IntrinsicMath.Min(2, left)],
                D = from[at + IntrinsicMath.Min(3, left)],
            };
            var wide = Widen(unit, factor, r < rows);
            tile[Unit(r, c)] = new Quad
            {
                A = wide.A, B = left < 1 ? 0 : wide.B, C = left < 2 ? 0 : wide.C, D = left < 3 ? 0 : wide.D,
            };
        }
    }

    /// <summary>Adds the products of this thread's 4 rows of a with its 4 rows of b, over so many units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Block AddScores(Block sum, ArrayView<Quad> a, ArrayView<Quad> b, int units)
    {
        var (rowA, rowB) = (Y * (4 * RowUnits), X * (4 * RowUnits));
        for (var c = 0; c < units; c++)
        {
            // A view that begins at the first row: one address serves four rows, the rest are constants of the instructions.
            var x = a.SubView(rowA + (c ^ (Y & 7)));
            var y = b.SubView(rowB + (c ^ X));
            var (y0, y1, y2, y3) = (y[0], y[RowUnits], y[2 * RowUnits], y[3 * RowUnits]);
            sum.R0 = AddProducts(sum.R0, x[0], y0, y1, y2, y3);
            sum.R1 = AddProducts(sum.R1, x[RowUnits], y0, y1, y2, y3);
            sum.R2 = AddProducts(sum.R2, x[2 * RowUnits], y0, y1, y2, y3);
            sum.R3 = AddProducts(sum.R3, x[3 * RowUnits], y0, y1, y2, y3);
        }
        return sum;
    }

    /// <summary>Adds scores times rows: this thread's 4 rows of scores over so many units, its 8 columns of b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideBlock AddOutputs(WideBlock sum, ArrayView<Quad> scores, ArrayView<Quad> b, int units, int columns)
    {
        var row = Y * Columns;
        if (columns <= 32)
        {
            for (var j = 0; j < units; j++)
            {
                var s = scores.SubView(row + (j ^ (Y & 7)));
                sum.Lower = AddRows(sum.Lower, s[0], s[8], s[16], s[24], b.SubView(j * (4 * RowUnits) + (X ^ j)));
            }
            return sum;
        }
        for (var j = 0; j < units; j++)
        {
            var s = scores.SubView(row + (j ^ (Y & 7)));
            var y = b.SubView(j * (4 * RowUnits) + (X ^ j));
            var (s0, s1, s2, s3) = (s[0], s[8], s[16], s[24]);
            sum.Lower = AddRows(sum.Lower, s0, s1, s2, s3, y);
            sum.Upper = AddRows(sum.Upper, s0, s1, s2, s3, y.SubView(8));
        }
        return sum;
    }

    /// <summary>Writes row 4y + r of a tile of scores: 4 columns of this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreScores(ArrayView<Quad> scores, Block block)
    {
        var s = scores.SubView(Y * Columns + (X ^ (Y & 7)));
        s[0] = block.R0;
        s[8] = block.R1;
        s[16] = block.R2;
        s[24] = block.R3;
    }

    /// <summary>
    /// Writes this thread's block of a piece, each row times its own factor, as many rows and columns as there are.
    /// </summary>
    public static void StoreOutputs<T>(
        ArrayView<T> target, long first, int stride, WideBlock o, Quad factors, int rows, int columns, int whole)
        where T : unmanaged, IElement<T>
    {
        var y = Y * 4;
        if (y < rows) StoreRow(target, first, y * stride, o.Lower.R0, o.Upper.R0, factors.A, columns, whole);
        if (y + 1 < rows) StoreRow(target, first, (y + 1) * stride, o.Lower.R1, o.Upper.R1, factors.B, columns, whole);
        if (y + 2 < rows) StoreRow(target, first, (y + 2) * stride, o.Lower.R2, o.Upper.R2, factors.C, columns, whole);
        if (y + 3 < rows) StoreRow(target, first, (y + 3) * stride, o.Lower.R3, o.Upper.R3, factors.D, columns, whole);
    }

    /// <summary>The sum (or the largest) over the eight threads that share rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float RowSum(float value)
    {
        value += Warp.ShuffleXor(value, 1);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float RowMax(float value)
    {
        value = Larger(value, Warp.ShuffleXor(value, 1));
        value = Larger(value, Warp.ShuffleXor(value, 2));
        return Larger(value, Warp.ShuffleXor(value, 4));
    }

    /// <summary>The larger; NaN may be lost, the exponentials bring it back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Larger(float a, float b) => a > b ? a : b;

    /// <summary>
    /// e^x for x that is not above 0 but for rounding: <see cref="DeviceMath.Exp(float)"/> without what only other arguments need.
    /// 0 from -87 on, where e^x is no normal number any more.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exp(float x)
    {
        var n = DeviceMath.Round(x * 1.44269504f);
        var r = x - n * 0.693359375f;
        r += n * 2.12194440e-4f;
        var p = 1.9875691500e-4f;
        p = p * r + 1.3981999507e-3f;
        p = p * r + 8.3334519073e-3f;
        p = p * r + 4.1665795894e-2f;
        p = p * r + 1.6666665459e-1f;
        p = p * r + 5.0000001201e-1f;
        var power = Interop.IntAsFloat((uint)((int)n + 127) << 23);
        return x < -87 ? 0 : (p * r * r + r + 1) * power;
    }

    /// <summary>Rows become columns; no instruction on a device.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Block Transposed(Block x) => new()
    {
        R0 = new Quad { A = x.R0.A, B = x.R1.A, C = x.R2.A, D = x.R3.A },
        R1 = new Quad { A = x.R0.B, B = x.R1.B, C = x.R2.B, D = x.R3.B },
        R2 = new Quad { A = x.R0.C, B = x.R1.C, C = x.R2.C, D = x.R3.C },
        R3 = new Quad { A = x.R0.D, B = x.R1.D, C = x.R2.D, D = x.R3.D },
    };

    private static int Unit(int row, int c) => row * RowUnits + (c ^ ((row >> 2) & 7));

    private static Quad Widen<T>(Four<T> x, float factor, bool there)
        where T : unmanaged, IElement<T> => new()
        {
            A = there ? x.A.Widen() * factor : 0, B = there ? x.B.Widen() * factor : 0, C = there ? x.C.Widen() * factor : 0,
            D = there ? x.D.Widen() * factor : 0,
        };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Quad AddProducts(Quad sum, Quad a, Quad b0, Quad b1, Quad b2, Quad b3)
    {
        sum.A += a.A * b0.A;
        sum.B += a.A * b1.A;
        sum.C += a.A * b2.A;
        sum.D += a.A * b3.A;
        sum.A += a.B * b0.B;
        sum.B += a.B * b1.B;
        sum.C += a.B * b2.B;
        sum.D += a.B * b3.B;
        sum.A += a.C * b0.C;
        sum.B += a.C * b1.C;
        sum.C += a.C * b2.C;
        sum.D += a.C * b3.C;
        sum.A += a.D * b0.D;
        sum.B += a.D * b1.D;
        sum.C += a.D * b2.D;
        sum.D += a.D * b3.D;
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Block AddRows(Block sum, Quad s0, Quad s1, Quad s2, Quad s3, ArrayView<Quad> b)
    {
        var (b0, b1, b2, b3) = (b[0], b[RowUnits], b[2 * RowUnits], b[3 * RowUnits]);
        sum.R0 = AddWeighted(sum.R0, s0, b0, b1, b2, b3);
        sum.R1 = AddWeighted(sum.R1, s1, b0, b1, b2, b3);
        sum.R2 = AddWeighted(sum.R2, s2, b0, b1, b2, b3);
        sum.R3 = AddWeighted(sum.R3, s3, b0, b1, b2, b3);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Quad AddWeighted(Quad sum, Quad s, Quad b0, Quad b1, Quad b2, Quad b3)
    {
        sum.A += s.A * b0.A;
        sum.B += s.A * b0.B;
        sum.C += s.A * b0.C;
        sum.D += s.A * b0.D;
        sum.A += s.B * b1.A;
        sum.B += s.B * b1.B;
        sum.C += s.B * b1.C;
        sum.D += s.B * b1.D;
        sum.A += s.C * b2.A;
        sum.B += s.C * b2.B;
        sum.C += s.C * b2.C;
        sum.D += s.C * b2.D;
        sum.A += s.D * b3.A;
        sum.B += s.D * b3.B;
        sum.C += s.D * b3.C;
        sum.D += s.D * b3.D;
        return sum;
    }

    private static void StoreRow<T>(
        ArrayView<T> target, long first, int row, Quad lower, Quad upper, float factor, int columns, int whole)
        where T : unmanaged, IElement<T>
    {
        StoreUnit(target, first, row + X * 4, lower, factor, columns - X * 4, whole);
        StoreUnit(target, first, row + X * 4 + 32, upper, factor, columns - X * 4 - 32, whole);
    }

    private static void StoreUnit<T>(ArrayView<T> target, long first, int at, Quad x, float factor, int left, int whole)
        where T : unmanaged, IElement<T>
    {
        if (left <= 0) return;
        var t = default(T);
        var unit = new Four<T>
        {
            A = t.Narrow(x.A * factor), B = t.Narrow(x.B * factor), C = t.Narrow(x.C * factor), D = t.Narrow(x.D * factor),
        };
        if (whole != 0)
        {
            target.Cast<Four<T>>().SubView(first >> 2)[at >> 2] = unit;
            return;
        }
        var to = target.SubView(first);
        to[at] = unit.A;
        if (left > 1) to[at + 1] = unit.B;
        if (left > 2) to[at + 2] = unit.C;
        if (left > 3) to[at + 3] = unit.D;
    }
}
