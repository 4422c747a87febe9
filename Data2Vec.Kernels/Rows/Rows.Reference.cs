namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void GatherRows(in GatherRowsArgs a)
    {
        for (long i = 0; i < a.Count; i++)
        {
            var from = RowAt("GatherRows", a.Rows, i, a.XRows) * a.Columns;
            for (var c = 0; c < a.Columns; c++) Set(a.Y, i * a.Columns + c, Get(a.X, from + c));
        }
    }

    /// <inheritdoc/>
    public void ScatterRows(in ScatterRowsArgs a)
    {
        for (long i = 0; i < a.Count; i++)
        {
            var row = RowAt("ScatterRows", a.Rows, i, a.YRows);
            if (row == a.IgnoreRow) continue;
            for (var c = 0; c < a.Columns; c++)
            {
                var to = row * a.Columns + c;
                Set(a.Y, to, Get(a.X, i * a.Columns + c) + (a.Accumulate ? Get(a.Y, to) : 0));
            }
        }
    }

    /// <inheritdoc/>
    public void MaskRows(in MaskRowsArgs a)
    {
        for (long i = 0; i < a.Count; i++)
        {
            var masked = Get(a.Mask, i) != 0;
            for (var c = 0; c < a.Columns; c++)
            {
                var at = i * a.Columns + c;
                Set(a.Y, at, !masked ? Get(a.X, at) : a.Vector.IsNone ? 0 : Get(a.Vector, c));
            }
        }
    }

    /// <inheritdoc/>
    public void MaskRowsBackward(in MaskRowsBackwardArgs a)
    {
        var dVector = new double[a.Columns];
        for (long i = 0; i < a.Count; i++)
        {
            var masked = Get(a.Mask, i) != 0;
            for (var c = 0; c < a.Columns; c++)
            {
                var at = i * a.Columns + c;
                var dy = Get(a.DY, at);
                if (masked) dVector[c] += dy;
                if (!a.DX.IsNone) Set(a.DX, at, masked ? 0 : dy);
            }
        }
        Write(a.DVector, dVector, a.Accumulate);
    }

    private static long RowAt(string op, BufferView rows, long position, long limit) =>
        RowIndex.Checked(op, GetIndex(rows, position), position, limit);
}

/// <summary>The range check that every use of a row list makes.</summary>
internal static class RowIndex
{
    public static long Checked(string op, long index, long position, long limit) => (ulong)index < (ulong)limit
        ? index
        : throw new ArgumentOutOfRangeException(nameof(index),
            $"{op}: the index at position {position} is {index}; it must lie in [0, {limit}).");
}
