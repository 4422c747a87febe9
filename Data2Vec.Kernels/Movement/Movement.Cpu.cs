namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void StridedCopy(in StridedCopyArgs a)
    {
        if (a.Accumulate) F(a.X);
        var job = new CopyRange
        {
            Args = a, Size = a.X.DType.Size(), X = HostTransfer.Address(a.X), Y = HostTransfer.Address(a.Y),
        };
        var count = a.Shape.Count;
        if (count == 0) return;
        // The innermost dimensions that are dense on both sides are one run.
        long run = 1;
        var outer = a.Shape.Rank;
        while (outer > 0 && (a.Shape[outer - 1] == 1 || (a.XStrides[outer - 1] == run && a.YStrides[outer - 1] == run)))
            run *= a.Shape[--outer];
        if (run == 1 && outer > 0)
        {
            // Nothing dense: the last dimension is walked with its strides.
            outer--;
            run = a.Shape[outer];
            (job.XStep, job.YStep) = (a.XStrides[outer], a.YStrides[outer]);
        }
        else
        {
            (job.XStep, job.YStep) = (1, 1);
        }
        job.Length = run;
        job.Outer = a.Shape.Slice(0, outer);
        ForRanges(ref job, count / run, RowsPerChunk(run));
    }

    public void Fill(in FillArgs a)
    {
        var job = new FillRange { Y = HostTransfer.Address(a.Y), Type = a.Y.DType, Value = a.Value };
        ForRanges(ref job, a.Count, 64 * 1024);
    }

    public void Cast(in CastArgs a)
    {
        var job = new CastRange
        {
            X = HostTransfer.Address(a.X), Y = HostTransfer.Address(a.Y), From = a.X.DType, To = a.Y.DType,
        };
        ForRanges(ref job, a.Count, ElementsPerChunk);
    }

    private struct CopyRange : IRange
    {
        public StridedCopyArgs Args;
        public byte* X, Y;
        public int Size;
        public long Length, XStep, YStep;
        public Shape Outer;

        public readonly void Run(long start, long end, int worker)
        {
            for (var row = start; row < end; row++)
            {
                long x = 0, y = 0, rest = row;
                for (var d = Outer.Rank - 1; d >= 0; d--)
                {
                    var at = rest % Outer[d];
                    rest /= Outer[d];
                    x += at * Args.XStrides[d];
                    y += at * Args.YStrides[d];
                }
                if (Args.Accumulate) Add((float*)X + x, (float*)Y + y);
                else if (XStep == 1 && YStep == 1)
                    Buffer.MemoryCopy(X + x * Size, Y + y * Size, Length * Size, Length * Size);
                else Copy(X + x * Size, Y + y * Size);
            }
        }

        private readonly void Add(float* x, float* y)
        {
            long i = 0;
            if (XStep == 1 && YStep == 1)
                for (; i + T.Width <= Length; i += T.Width) T.Store(y + i, T.Load(y + i) + T.Load(x + i));
            for (; i < Length; i++) y[i * YStep] += x[i * XStep];
        }

        private readonly void Copy(byte* x, byte* y)
        {
            switch (Size)
            {
                case 4:
                    for (long i = 0; i < Length; i++) ((uint*)y)[i * YStep] = ((uint*)x)[i * XStep];
                    break;
                case 8:
                    for (long i = 0; i < Length; i++) ((ulong*)y)[i * YStep] = ((ulong*)x)[i * XStep];
                    break;
                case 2:
                    for (long i = 0; i < Length; i++) ((ushort*)y)[i * YStep] = ((ushort*)x)[i * XStep];
                    break;
                default:
                    for (long i = 0; i < Length; i++) y[i * YStep] = x[i * XStep];
                    break;
            }
        }
    }

    private struct FillRange : IRange
    {
        public byte* Y;
        public DType Type;
        public double Value;

        public readonly void Run(long start, long end, int worker)
        {
            var n = (int)(end - start);
            switch (Type)
            {
                case DType.Float32: new Span<float>((float*)Y + start, n).Fill((float)Value); break;
                case DType.BFloat16: new Span<ushort>((ushort*)Y + start, n).Fill(BFloat16.FromSingle((float)Value).Bits); break;
                case DType.Int32: new Span<int>((int*)Y + start, n).Fill((int)Value); break;
                case DType.Int64: new Span<long>((long*)Y + start, n).Fill((long)Value); break;
                case DType.Bool: new Span<byte>(Y + start, n).Fill(Value != 0 ? (byte)1 : (byte)0); break;
                default: new Span<byte>(Y + start, n).Fill((byte)Value); break;
            }
        }
    }

    private struct CastRange : IRange
    {
        public byte* X, Y;
        public DType From, To;

        public readonly void Run(long start, long end, int worker)
        {
            for (var i = start; i < end; i++)
            {
                if (From is DType.Int32 or DType.Int64 && To is DType.Int32 or DType.Int64)
                {
                    var n = From == DType.Int32 ? ((int*)X)[i] : ((long*)X)[i];
                    if (To == DType.Int32) ((int*)Y)[i] = checked((int)n);
                    else ((long*)Y)[i] = n;
                    continue;
                }
                double v = From switch
                {
                    DType.Float32 => ((float*)X)[i],
                    DType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)X)[i] << 16),
                    DType.Int32 => ((int*)X)[i],
                    DType.Int64 => ((long*)X)[i],
                    _ => X[i],
                };
                switch (To)
                {
                    case DType.Float32: ((float*)Y)[i] = (float)v; break;
                    case DType.BFloat16: ((ushort*)Y)[i] = BFloat16.FromSingle((float)v).Bits; break;
                    case DType.Int32: ((int*)Y)[i] = (int)v; break;
                    case DType.Int64: ((long*)Y)[i] = (long)v; break;
                    case DType.Bool: Y[i] = v != 0 ? (byte)1 : (byte)0; break;
                    default: Y[i] = (byte)v; break;
                }
            }
        }
    }
}
