using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>
    /// The weights of every group in panels of two vectors of columns, [group][panel][inner][columns], zeros behind the
    /// last column; one chunk packs one panel. A last panel of at most one vector is only that wide.
    /// </summary>
    private struct TapWeights : IJob
    {
        public float* W, Packed;
        public Conv1dShape Shape;
        public int Columns, Inner, Taps, LastTap, TapStep;

        /// <summary>
        /// Columns are input channels and the taps run backwards from LastTap: for the gradient of x.
        /// </summary>
        public bool Transposed;

        public readonly int Panels => (Columns + 2 * T.Width - 1) / (2 * T.Width);

        public readonly long GroupSize => (long)Inner * PaddedTo(Columns);

        public readonly long Size => Shape.Groups * GroupSize;

        /// <summary>Columns with what fills the last vector.</summary>
        public static int PaddedTo(int columns) => (columns + T.Width - 1) / T.Width * T.Width;

        public readonly void Execute(int chunk, int worker)
        {
            var (group, panel) = Math.DivRem(chunk, Panels);
            var column = panel * 2 * T.Width;
            var width = Math.Min(2 * T.Width, PaddedTo(Columns) - column);
            var columns = Math.Min(width, Columns - column);
            var to = Packed + group * GroupSize + (long)column * Inner;
            if (columns < width) new Span<float>(to, Inner * width).Clear();
            if (Transposed) PackBackwards(group, column, columns, width, to);
            else PackForwards(group, column, columns, width, to);
        }

        private readonly void PackForwards(int group, int column, int columns, int width, float* to)
        {
            // By sixteens: the lines that are written stay near until every column has come to them.
            const int lines = 16;
            var first = W + (group * (long)Shape.GroupOut + column) * Inner;
            for (var p = 0; p < Inner; p += lines, to += lines * width, first += lines)
            {
                var count = Math.Min(lines, Inner - p);
                for (var j = 0; j < columns; j++)
                {
                    var from = first + (long)j * Inner;
                    for (var i = 0; i < count; i++) to[i * width + j] = from[i];
                }
            }
        }

        private readonly void PackBackwards(int group, int column, int columns, int width, float* to)
        {
            for (var tap = 0; tap < Taps; tap++)
            {
                var row = (long)group * Shape.GroupOut * Shape.Kernel + LastTap - tap * TapStep;
                var from = W + row * Shape.GroupIn + column;
                for (var o = 0; o < Shape.GroupOut; o++, to += width, from += (long)Shape.Kernel * Shape.GroupIn)
                    new ReadOnlySpan<float>(from, columns).CopyTo(new Span<float>(to, columns));
            }
        }
    }

    /// <summary>
    /// y[sample, row, group's columns] = rows of taps times the group's packed weights, with bias and activation. A
    /// chunk is a block of rows by a block of columns of one group of one sample; the sums over a row are cut into
    /// fixed blocks.
    /// </summary>
    private struct TapProduct : IJob
    {
        private const int InnerBlock = 128;
        private const int ColumnBlock = 256;

        /// <summary>Floats of weights that stay in the nearest cache beside everything else.</summary>
        private const int NearWeights = 6 * 1024;

        /// <summary>Floats of copied rows that a chunk may hold.</summary>
        private const int MostRoom = 160 * 1024;

        /// <summary>Of the first sample and group.</summary>
        public TapRows Rows;

        public float* Y, Packed, Sums, Bias;
        public long YSample, YRow;
        public int Samples, Groups, Count, Columns;
        public Activation Activation;
        public NativeScratch[] Scratch;
        private int rowBlock, rowBlocks, columnBlocks;

        public readonly int Chunks => checked(Samples * Groups * rowBlocks * columnBlocks);

        /// <summary>Fixes the blocks.</summary>
        public void Cut()
        {
            rowBlock = 16 * TileKernel<T>.Rows;
            while (rowBlock > TileKernel<T>.Rows && Rows.Room(rowBlock) > MostRoom) rowBlock /= 2;
            rowBlocks = (Count + rowBlock - 1) / rowBlock;
            columnBlocks = (Columns + ColumnBlock - 1) / ColumnBlock;
        }

        public readonly void Execute(int chunk, int worker)
        {
            (chunk, var columnPart) = Math.DivRem(chunk, columnBlocks);
            (chunk, var rowPart) = Math.DivRem(chunk, rowBlocks);
            var (sample, group) = Math.DivRem(chunk, Groups);
            var row = rowPart * rowBlock;
            var count = Math.Min(rowBlock, Count - row);
            var column = columnPart * ColumnBlock;
            var columns = Math.Min(ColumnBlock, Columns - column);
            var at = sample * YSample + row * YRow + group * Columns + column;
            if (Rows.Taps == 0)
            {
                for (var r = 0; r < count; r++) new Span<float>(Y + at + r * YRow, columns).Clear();
                return;
            }
            var rows = Rows;
            rows.Signal += (long)sample * rows.Time * rows.Channels + group * rows.Width;
            var a = rows.Load(row, count, Scratch[worker].Floats(rows.Room(rowBlock)), false, out var aRow);
            var weights = Packed + ((long)group * TapWeights.PaddedTo(Columns) + column) * rows.Inner;
            if ((long)rows.Inner * columns <= NearWeights) Near(a, aRow, count, weights, columns, Y + at);
            else Far(a, aRow, count, weights, columns, Y + at);
            new LinearEpilogue
            {
                Y = Y + at, Sums = Sums is null ? null : Sums + at,
                Bias = Bias is null ? null : Bias + group * Columns + column, Width = YRow, Activation = Activation,
            }.Apply(0, count, 0, columns);
        }

        /// <summary>Few weights: all of them for each six rows, so that y is written once from front to back.</summary>
        private readonly void Near(float* a, long aRow, int count, float* weights, int columns, float* y)
        {
            for (var r = 0; r < count; r += TileKernel<T>.Rows)
                for (var c = 0; c < columns; c += TileKernel<T>.Columns)
                    Tile(a, aRow, count, weights, columns, y, r, c, 0, Rows.Inner);
        }

        /// <summary>Many weights: a panel of a block of them stays near while all rows pass.</summary>
        private readonly void Far(float* a, long aRow, int count, float* weights, int columns, float* y)
        {
            for (var p = 0; p < Rows.Inner; p += InnerBlock)
                for (var c = 0; c < columns; c += TileKernel<T>.Columns)
                    for (var r = 0; r < count; r += TileKernel<T>.Rows)
                        Tile(a, aRow, count, weights, columns, y, r, c, p, Math.Min(InnerBlock, Rows.Inner - p));
        }

        private readonly void Tile(
            float* a, long aRow, int count, float* weights, int columns, float* y, int r, int c, int p, int inner)
        {
            var width = Math.Min(TileKernel<T>.Columns, TapWeights.PaddedTo(columns - c));
            TileKernel<T>.Run(inner, a + r * aRow + p, Math.Min(TileKernel<T>.Rows, count - r), aRow, 1,
                weights + (long)c * Rows.Inner + (long)p * width, width, Math.Min(width, columns - c),
                y + r * YRow + c, YRow, p > 0);
        }
    }
}
