namespace Data2Vec.Kernels.Cpu;

/// <summary>What happens to finished elements of C while they are still in cache.</summary>
internal interface IGemmEpilogue
{
    /// <summary>Rows [row, row + rows) and columns [column, column + columns) of C are complete.</summary>
    void Apply(int row, int rows, int column, int columns);
}

/// <summary>Nothing to do after the sums.</summary>
internal readonly struct NoEpilogue : IGemmEpilogue
{
    public void Apply(int row, int rows, int column, int columns)
    {
    }
}

/// <summary>One matrix operand: element (i, j) lies at i * Row + j * Column.</summary>
internal readonly unsafe record struct GemmOperand(nint Address, long Row, long Column)
{
    public float* Pointer => (float*)Address;
}

/// <summary>
/// C[m, n] = alpha * A[m, k] B[k, n], or += : packed and blocked after Goto and van de Geijn 2008. The sums over k are cut
/// into fixed blocks and each tile of C belongs to one chunk, so the bits do not depend on the number of threads.
/// </summary>
internal static unsafe class Gemm<T>
    where T : struct, ILanes<T>
{
    private const int BlockK = 256;
    private const int BlockM = 4096;
    private const int BlockN = 2048;
    private const int PanelsPerPack = 8;

    private static int Mr => GemmMicroKernel<T>.Rows;

    private static int Nr => GemmMicroKernel<T>.Columns;

    /// <summary>Floats of workspace that a call needs.</summary>
    public static long WorkspaceSize(int m, int n, int k)
    {
        long kc = Math.Min(k, BlockK);
        return kc * (RoundUp(Math.Min(m, BlockM), Mr) + RoundUp(Math.Min(n, BlockN), Nr)) + 64;
    }

    /// <summary>The product, on all workers of the pool (or on the caller alone when it is null).</summary>
    public static void Run<TEpilogue>(
        WorkerPool? pool, float* workspace, int m, int n, int k, float alpha, GemmOperand a, GemmOperand b, float* c,
        long cRow, bool accumulate, TEpilogue epilogue)
        where TEpilogue : struct, IGemmEpilogue
    {
        if (m == 0 || n == 0) return;
        if (k == 0)
        {
            if (!accumulate)
                for (var i = 0; i < m; i++) new Span<float>(c + i * cRow, n).Clear();
            epilogue.Apply(0, m, 0, n);
            return;
        }
        for (var j = 0; j < n; j += BlockN)
        {
            for (var i = 0; i < m; i += BlockM)
            {
                for (var p = 0; p < k; p += BlockK)
                {
                    var block = new Block<TEpilogue>
                    {
                        A = a, B = b, C = (nint)c, CRow = cRow, Alpha = alpha,
                        Row = i, Rows = Math.Min(BlockM, m - i), Column = j, Columns = Math.Min(BlockN, n - j),
                        Inner = p, Inners = Math.Min(BlockK, k - p), Add = accumulate || p > 0,
                        Last = p + BlockK >= k, Epilogue = epilogue, Workspace = (nint)workspace,
                    };
                    block.Run(pool);
                }
            }
        }
    }

    private static long RoundUp(long x, int unit) => (x + unit - 1) / unit * unit;

    /// <summary>One block of the three loops: first everything is packed, then all tiles are computed.</summary>
    private struct Block<TEpilogue> : IJob
        where TEpilogue : struct, IGemmEpilogue
    {
        public GemmOperand A, B;
        public nint C, Workspace;
        public long CRow;
        public float Alpha;
        public int Row, Rows, Column, Columns, Inner, Inners;
        public bool Add, Last;
        public TEpilogue Epilogue;
        private bool packing;
        private int packsA, rowGroups, tileRows, tileColumns;

        private readonly float* PackedA => (float*)Workspace;

        private readonly float* PackedB => (float*)Workspace + Inners * RoundUp(Rows, Mr);

        public void Run(WorkerPool? pool)
        {
            var panelsA = (Rows + Mr - 1) / Mr;
            var panelsB = (Columns + Nr - 1) / Nr;
            // Tiles of about 96 x 256: enough work for a chunk, small enough to spread narrow products.
            tileRows = 96 / Mr * Mr;
            tileColumns = 256 / Nr * Nr;
            rowGroups = (Rows + tileRows - 1) / tileRows;
            packsA = (panelsA + PanelsPerPack - 1) / PanelsPerPack;
            var packs = packsA + (panelsB + PanelsPerPack - 1) / PanelsPerPack;
            var tiles = rowGroups * ((Columns + tileColumns - 1) / tileColumns);
            packing = true;
            Start(pool, packs);
            packing = false;
            Start(pool, tiles);
        }

        public void Execute(int chunk, int worker)
        {
            if (!packing)
            {
                Multiply(chunk % rowGroups * tileRows, chunk / rowGroups * tileColumns);
                return;
            }
            if (chunk < packsA)
            {
                for (var i = 0; i < PanelsPerPack; i++) PackRows((chunk * PanelsPerPack + i) * Mr);
                return;
            }
            for (var i = 0; i < PanelsPerPack; i++) PackColumns(((chunk - packsA) * PanelsPerPack + i) * Nr);
        }

        private void Start(WorkerPool? pool, int chunks)
        {
            // Below this the region costs more than it saves; the result is the same either way.
            if (pool is not null && (long)Rows * Columns * Inners > 64 * 1024)
            {
                pool.Run(ref this, chunks);
                return;
            }
            for (var i = 0; i < chunks; i++) Execute(i, 0);
        }

        /// <summary>Rows [row, row + Mr) of A as [k][Mr], with zeros behind the last row.</summary>
        private readonly void PackRows(int row)
        {
            if (row >= Rows) return;
            var mr = Mr;
            var rows = Math.Min(mr, Rows - row);
            var to = PackedA + (long)row * Inners;
            var from = A.Pointer + (Row + row) * A.Row + Inner * A.Column;
            if (rows < mr) new Span<float>(to, Inners * mr).Clear();
            if (A.Row == 1)
            {
                for (var p = 0; p < Inners; p++, to += mr, from += A.Column)
                    for (var i = 0; i < rows; i++) to[i] = from[i] * Alpha;
                return;
            }
            for (var i = 0; i < rows; i++)
            {
                var line = from + i * A.Row;
                for (var p = 0; p < Inners; p++) to[(long)p * mr + i] = line[p * A.Column] * Alpha;
            }
        }

        /// <summary>Columns [column, column + Nr) of B as [k][Nr], with zeros behind the last column.</summary>
        private readonly void PackColumns(int column)
        {
            if (column >= Columns) return;
            var nr = Nr;
            var columns = Math.Min(nr, Columns - column);
            var to = PackedB + (long)column * Inners;
            var from = B.Pointer + (Column + column) * B.Column + Inner * B.Row;
            if (columns < nr) new Span<float>(to, Inners * nr).Clear();
            if (B.Column == 1)
            {
                for (var p = 0; p < Inners; p++, to += nr, from += B.Row)
                    new ReadOnlySpan<float>(from, columns).CopyTo(new Span<float>(to, columns));
                return;
            }
            for (var j = 0; j < columns; j++)
            {
                var line = from + j * B.Column;
                for (var p = 0; p < Inners; p++) to[(long)p * nr + j] = line[p * B.Row];
            }
        }

        private void Multiply(int row, int column)
        {
            var (mr, nr) = (Mr, Nr);
            var rows = Math.Min(tileRows, Rows - row);
            var columns = Math.Min(tileColumns, Columns - column);
            var edge = stackalloc float[12 * 32];
            for (var j = 0; j < columns; j += nr)
            {
                var b = PackedB + (long)(column + j) * Inners;
                for (var i = 0; i < rows; i += mr)
                {
                    var a = PackedA + (long)(row + i) * Inners;
                    var c = (float*)C + (Row + row + i) * CRow + Column + column + j;
                    if (i + mr <= rows && j + nr <= columns)
                    {
                        GemmMicroKernel<T>.Run(Inners, a, b, c, CRow, Add);
                        continue;
                    }
                    GemmMicroKernel<T>.Run(Inners, a, b, edge, nr, false);
                    CopyEdge(edge, c, Math.Min(mr, rows - i), Math.Min(nr, columns - j));
                }
            }
            if (Last) Epilogue.Apply(Row + row, rows, Column + column, columns);
        }

        private readonly void CopyEdge(float* edge, float* c, int rows, int columns)
        {
            for (var i = 0; i < rows; i++)
                for (var j = 0; j < columns; j++)
                    c[i * CRow + j] = edge[i * Nr + j] + (Add ? c[i * CRow + j] : 0);
        }
    }
}
