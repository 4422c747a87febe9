namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void GatherRows(in GatherRowsArgs a)
    {
        var job = new GatherRange
        {
            X = HostTransfer.Address(a.X), Y = HostTransfer.Address(a.Y), Rows = RowList.Of(a.Rows),
            Bytes = (long)a.Columns * a.X.DType.Size(), Limit = a.XRows,
        };
        ForRanges(ref job, a.Count, RowsPerChunk(a.Columns));
    }

    public void ScatterRows(in ScatterRowsArgs a)
    {
        var rows = RowList.Of(a.Rows);
        for (long i = 0; i < a.Count; i++) RowIndex.Checked("ScatterRows", rows[i], i, a.YRows);
        if (a.Accumulate) F(a.X);
        var job = new ScatterRange
        {
            X = HostTransfer.Address(a.X), Y = HostTransfer.Address(a.Y), Rows = rows, Count = a.Count,
            Columns = a.Columns, Size = a.X.DType.Size(), Accumulate = a.Accumulate, Ignore = a.IgnoreRow,
        };
        // Cut by columns: every chunk sees all rows in order, so repeated indices add in the order of the list.
        if (a.Count > 0) ForRanges(ref job, a.Columns, a.Count * a.Columns < ElementsPerChunk ? a.Columns : 64);
    }

    public void MaskRows(in MaskRowsArgs a)
    {
        var job = new MaskRange
        {
            X = F(a.X), Vector = F(a.Vector), Y = F(a.Y), Mask = HostTransfer.Address(a.Mask), Columns = a.Columns,
        };
        ForRanges(ref job, a.Count, RowsPerChunk(a.Columns));
    }

    public void MaskRowsBackward(in MaskRowsBackwardArgs a)
    {
        var mask = HostTransfer.Address(a.Mask);
        if (!a.DVector.IsNone)
        {
            var sums = new MaskedSumRange
            {
                Mask = mask, DY = F(a.DY), DVector = F(a.DVector), Rows = a.Count, Columns = a.Columns,
                Accumulate = a.Accumulate,
            };
            ForRanges(ref sums, a.Columns, a.Count * a.Columns < ElementsPerChunk ? a.Columns : 64);
        }
        if (a.DX.IsNone) return;
        var job = new MaskRange { X = F(a.DY), Y = F(a.DX), Mask = mask, Columns = a.Columns };
        ForRanges(ref job, a.Count, RowsPerChunk(a.Columns));
    }

    /// <summary>int32 or int64 indices.</summary>
    private readonly struct RowList(byte* address, bool wide)
    {
        private readonly byte* address = address;

        public long this[long i] => wide ? ((long*)address)[i] : ((int*)address)[i];

        public static RowList Of(BufferView view) => new(HostTransfer.Address(view), view.DType == DType.Int64);
    }

    private struct GatherRange : IRange
    {
        public byte* X, Y;
        public RowList Rows;
        public long Bytes, Limit;

        public readonly void Run(long start, long end, int worker)
        {
            for (var i = start; i < end; i++)
            {
                var row = RowIndex.Checked("GatherRows", Rows[i], i, Limit);
                Buffer.MemoryCopy(X + row * Bytes, Y + i * Bytes, Bytes, Bytes);
            }
        }
    }

    private struct ScatterRange : IRange
    {
        public byte* X, Y;
        public RowList Rows;
        public long Count, Ignore;
        public int Columns, Size;
        public bool Accumulate;

        public readonly void Run(long start, long end, int worker)
        {
            for (long i = 0; i < Count; i++)
            {
                var row = Rows[i];
                if (row == Ignore) continue;
                var x = X + (i * Columns + start) * Size;
                var y = Y + (row * Columns + start) * Size;
                if (!Accumulate)
                {
                    Buffer.MemoryCopy(x, y, (end - start) * Size, (end - start) * Size);
                    continue;
                }
                float* fx = (float*)x, fy = (float*)y;
                var n = end - start;
                long c = 0;
                for (; c + T.Width <= n; c += T.Width) T.Store(fy + c, T.Load(fy + c) + T.Load(fx + c));
                for (; c < n; c++) fy[c] += fx[c];
            }
        }
    }

    private struct MaskRange : IRange
    {
        public float* X, Vector, Y;
        public byte* Mask;
        public int Columns;

        public readonly void Run(long start, long end, int worker)
        {
            for (var i = start; i < end; i++)
            {
                var y = new Span<float>(Y + i * Columns, Columns);
                if (Mask[i] == 0) new ReadOnlySpan<float>(X + i * Columns, Columns).CopyTo(y);
                else if (Vector is null) y.Clear();
                else new ReadOnlySpan<float>(Vector, Columns).CopyTo(y);
            }
        }
    }

    private struct MaskedSumRange : IRange
    {
        public byte* Mask;
        public float* DY, DVector;
        public long Rows;
        public int Columns;
        public bool Accumulate;

        public readonly void Run(long start, long end, int worker)
        {
            for (var c = start; c < end; c++)
            {
                double sum = 0;
                for (long i = 0; i < Rows; i++)
                    if (Mask[i] != 0) sum += DY[i * Columns + c];
                DVector[c] = (float)(Accumulate ? DVector[c] + sum : sum);
            }
        }
    }
}
