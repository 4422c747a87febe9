using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>Rows and columns from which the packed matrix product is worth its packing.</summary>
    private const int WorthPacking = 64;

    /// <summary>dw[o, k, c] (+)= sum over samples and frames of dy[t, o] * (tap k, channel c of row t).</summary>
    private void WeightGradient(in Conv1dShape s, float* slopes, float* x, float* dw, bool accumulate)
    {
        var inner = s.Kernel * s.GroupIn;
        if ((long)s.Batch * s.OutTime == 0)
        {
            if (accumulate) return;
            for (long i = 0; i < s.WeightCount; i++) dw[i] = 0;
            return;
        }
        var inPlace = s.Groups == 1 && s.Padding == 0 && (s.Dilation == 1 || s.Kernel == 1);
        if (inPlace && s.Out >= WorthPacking && inner >= WorthPacking)
        {
            // Rows of taps lie in x as they are, a stride apart and overlapping.
            var workspace = shared.Floats(Gemm<T>.WorkspaceSize(s.Out, inner, s.OutTime));
            for (var b = 0; b < s.Batch; b++)
            {
                Gemm<T>.Run(pool, workspace, s.Out, inner, s.OutTime, 1,
                    new GemmOperand((nint)(slopes + (long)b * s.OutTime * s.Out), 1, s.Out),
                    new GemmOperand((nint)(x + (long)b * s.Time * s.In), (long)s.Stride * s.In, 1), dw, inner,
                    accumulate || b > 0, default(NoEpilogue));
            }
            return;
        }
        var job = new TapGradient
        {
            Rows = new TapRows
            {
                Signal = x, Time = s.Time, Channels = s.In, Width = s.GroupIn, Taps = s.Kernel,
                Start = -s.Padding, RowStep = s.Stride, TapStep = s.Dilation,
            },
            Slopes = new TapRows
            {
                Signal = slopes, Time = s.OutTime, Channels = s.Out, Width = s.GroupOut, Taps = 1, RowStep = 1,
                TapStep = 1,
            },
            Samples = s.Batch, Groups = s.Groups, Count = s.OutTime,
            DW = dw, Accumulate = accumulate, Scratch = scratch,
        };
        job.Cut();
        job.Partial = job.IsDirect ? dw : shared.Floats(job.PartialSize);
        Region(ref job, job.Chunks, (double)s.OutputCount * inner);
        if (job.IsDirect) return;
        var sums = new TapGradientSum { Job = job };
        ForRanges(ref sums, s.Out, RowsPerChunk(inner));
    }

    /// <summary>
    /// Sums of outer products of rows of dy and rows of taps. A chunk is a block of columns of one group over one part
    /// of the frames; parts are added in order afterwards. Whichever of output channels and taps fills vectors better
    /// is the column.
    /// </summary>
    private struct TapGradient : IJob
    {
        private const int ColumnBlock = 256;
        private const int EnoughChunks = 32;
        private const int FewestBlocksPerPart = 8;
        private const long MostRoom = 64 * 1024;
        private const long MostPartial = 4 * 1024 * 1024;

        /// <summary>Of the first sample and group.</summary>
        public TapRows Rows, Slopes;

        public float* DW, Partial;
        public int Samples, Groups, Count;
        public bool Accumulate;
        public NativeScratch[] Scratch;
        private int timeBlock, timeBlocks, parts, columnBlocks;

        /// <summary>Columns are output channels, rows are taps.</summary>
        public bool Transposed { get; private set; }

        public readonly int Parts => parts;

        public readonly int Outs => Slopes.Width;

        public readonly int Inner => Rows.Inner;

        public readonly int Columns => Transposed ? Outs : Inner;

        /// <summary>The sums are those of dw itself.</summary>
        public readonly bool IsDirect => parts == 1 && !Transposed;

        public readonly long PartialSize => (long)parts * Groups * Outs * Inner;

        public readonly int Chunks => checked(parts * Groups * columnBlocks);

        /// <summary>Fixes the blocks.</summary>
        public void Cut()
        {
            static long Padded(long rows, long columns) => (rows + TileKernel<T>.Rows - 1) / TileKernel<T>.Rows
                * TileKernel<T>.Rows * TapWeights.PaddedTo((int)columns);
            Transposed = Padded(Inner, Outs) < Padded(Outs, Inner);
            timeBlock = 128;
            while (timeBlock > 8 && Rows.Room(timeBlock) > MostRoom) timeBlock /= 2;
            timeBlocks = (Count + timeBlock - 1) / timeBlock;
            columnBlocks = (Columns + ColumnBlock - 1) / ColumnBlock;
            var wanted = (EnoughChunks - 1) / (Groups * columnBlocks) + 1;
            var affordable = Math.Min(
                (long)Samples * timeBlocks / FewestBlocksPerPart, MostPartial / ((long)Groups * Outs * Inner));
            parts = (int)Math.Clamp(affordable, 1, wanted);
        }

        public readonly void Execute(int chunk, int worker)
        {
            (chunk, var columnPart) = Math.DivRem(chunk, columnBlocks);
            var (part, group) = Math.DivRem(chunk, Groups);
            var blocks = (long)Samples * timeBlocks;
            var (first, end) = (blocks * part / parts, blocks * (part + 1) / parts);
            for (var block = first; block < end; block++)
                Add(block, part, group, columnPart * ColumnBlock, worker, IsDirect && Accumulate || block > first);
        }

        private readonly void Add(long block, int part, int group, int column, int worker, bool add)
        {
            var (sample, timePart) = Math.DivRem(block, timeBlocks);
            var time = (int)timePart * timeBlock;
            var count = Math.Min(timeBlock, Count - time);
            var (x, dy) = (Rows, Slopes);
            x.Signal += sample * x.Time * x.Channels + group * x.Width;
            dy.Signal += sample * dy.Time * dy.Channels + group * dy.Width;
            var memory = Scratch[worker].Floats(x.Room(timeBlock) + dy.Room(timeBlock));
            // Columns are read in whole vectors; rows of one group among many lie too far apart for the nearest cache.
            var uneven = Columns % T.Width != 0;
            var taps = x.Load(time, count, memory, !Transposed && uneven, out var tapStep);
            memory += x.Room(timeBlock);
            var slopes = dy.Load(time, count, memory, Transposed && uneven || Groups > 1, out var slopeStep);
            var (a, aStep) = Transposed ? ((nint)taps, tapStep) : ((nint)slopes, slopeStep);
            var (b, bStep) = Transposed ? ((nint)slopes, slopeStep) : ((nint)taps, tapStep);
            var rows = Transposed ? Inner : Outs;
            var end = Math.Min(Columns, column + ColumnBlock);
            var to = Partial + ((long)part * Groups + group) * Outs * Inner;
            for (var c = column; c < end; c += TileKernel<T>.Columns)
            {
                for (var r = 0; r < rows; r += TileKernel<T>.Rows)
                {
                    TileKernel<T>.Run(count, (float*)a + r, Math.Min(TileKernel<T>.Rows, rows - r), 1, aStep,
                        (float*)b + c, bStep, Math.Min(TileKernel<T>.Columns, end - c),
                        to + (long)r * Columns + c, Columns, add);
                }
            }
        }
    }

    /// <summary>Adds the parts of the frames in order, for a range of output channels.</summary>
    private struct TapGradientSum : IRange
    {
        public TapGradient Job;

        public readonly void Run(long start, long end, int worker)
        {
            var (outs, inner) = (Job.Outs, Job.Inner);
            var size = (long)Job.Groups * outs * inner;
            var (outStep, innerStep) = Job.Transposed ? (1, outs) : (inner, 1);
            for (var o = start; o < end; o++)
            {
                var (group, within) = Math.DivRem(o, outs);
                var from = Job.Partial + group * outs * inner + within * outStep;
                var to = Job.DW + o * inner;
                for (var j = 0; j < inner; j++)
                {
                    var sum = Job.Accumulate ? to[j] : 0;
                    for (var part = 0; part < Job.Parts; part++) sum += from[part * size + (long)j * innerStep];
                    to[j] = sum;
                }
            }
        }
    }
}
