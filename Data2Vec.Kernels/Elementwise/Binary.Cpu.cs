namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Binary(in BinaryArgs a)
    {
        if (!a.X.DType.IsFloat())
        {
            BinaryOfIntegers(a);
            return;
        }
        var job = new BinaryRange { Op = a.Op, X = F(a.X), Y = F(a.Y), Z = HostTransfer.Address(a.Z) };
        RunRows(ref job, a.Shape, a.XStrides, a.YStrides);
    }

    public void BinaryBackward(in BinaryBackwardArgs a)
    {
        var job = new BinaryRange
        {
            Op = a.Op, X = F(a.X), Y = F(a.Y), DZ = F(a.DZ), DX = F(a.DX), DY = F(a.DY), Backward = true,
        };
        RunRows(ref job, a.Shape, a.XStrides, a.YStrides);
    }

    /// <summary>
    /// Cuts a broadcast shape into rows along its last dimensions, as long as both operands walk them with one stride
    /// each: a row of x steps by 1 or 0, and so does a row of y.
    /// </summary>
    private void RunRows(ref BinaryRange job, Shape shape, in Strides xs, in Strides ys)
    {
        var count = shape.Count;
        if (count == 0) return;
        long length = 1, xStep = 0, yStep = 0;
        var outer = shape.Rank;
        while (outer > 0)
        {
            var d = outer - 1;
            if (length == 1 || shape[d] == 1)
            {
                if (shape[d] > 1) (xStep, yStep) = (xs[d], ys[d]);
            }
            else if (xs[d] != xStep * length || ys[d] != yStep * length)
            {
                break;
            }
            length *= shape[d];
            outer = d;
        }
        (job.Length, job.XStep, job.YStep) = (length, xStep, yStep);
        job.Outer = shape.Slice(0, outer);
        (job.XStrides, job.YStrides) = (xs, ys);
        if (outer == 0) ForRanges(ref job, length, ElementsPerChunk);
        else ForRanges(ref job, count / length, RowsPerChunk(length));
    }

    private static void BinaryOfIntegers(in BinaryArgs a)
    {
        var walk = new StridedWalk(a.Shape);
        var z = HostTransfer.Address(a.Z);
        var size = a.X.DType.Size();
        var count = a.Shape.Count;
        for (long i = 0; i < count; i++, walk.Next())
        {
            var x = new ReadOnlySpan<byte>(HostTransfer.Address(a.X.At(walk.Offset(a.XStrides))), size);
            var y = new ReadOnlySpan<byte>(HostTransfer.Address(a.Y.At(walk.Offset(a.YStrides))), size);
            z[i] = x.SequenceEqual(y) == (a.Op == BinaryOp.Equal) ? (byte)1 : (byte)0;
        }
    }

    private struct BinaryRange : IRange
    {
        public BinaryOp Op;
        public float* X, Y, DZ, DX, DY;
        public byte* Z;
        public bool Backward;
        public long Length, XStep, YStep;
        public Shape Outer;
        public Strides XStrides, YStrides;

        public readonly void Run(long start, long end, int worker)
        {
            if (Outer.Rank == 0)
            {
                Row(X + start * XStep, Y + start * YStep, start, end - start);
                return;
            }
            for (var row = start; row < end; row++)
            {
                long x = 0, y = 0, rest = row;
                for (var d = Outer.Rank - 1; d >= 0; d--)
                {
                    var at = rest % Outer[d];
                    rest /= Outer[d];
                    x += at * XStrides[d];
                    y += at * YStrides[d];
                }
                Row(X + x, Y + y, row * Length, Length);
            }
        }

        private readonly void Row(float* x, float* y, long z, long n)
        {
            long i = 0;
            var vector = XStep is 0 or 1 && YStep is 0 or 1 && Op <= BinaryOp.Div;
            if (vector)
            {
                for (; i + T.Width <= n; i += T.Width)
                {
                    var a = XStep == 1 ? T.Load(x + i) : T.Broadcast(*x);
                    var b = YStep == 1 ? T.Load(y + i) : T.Broadcast(*y);
                    if (Backward) Slopes(a, b, z + i);
                    else T.Store((float*)Z + z + i, Apply(a, b));
                }
            }
            for (; i < n; i++)
            {
                float a = x[i * XStep], b = y[i * YStep];
                if (Backward)
                {
                    var (byX, byY) = ElementFunctions.Slopes(Op, a, b);
                    var dz = DZ[z + i];
                    if (DX is not null) DX[z + i] = (float)(dz * byX);
                    if (DY is not null) DY[z + i] = (float)(dz * byY);
                }
                else if (Op >= BinaryOp.Equal)
                {
                    Z[z + i] = (byte)ElementFunctions.Apply(Op, a, b);
                }
                else
                {
                    ((float*)Z)[z + i] = (float)ElementFunctions.Apply(Op, a, b);
                }
            }
        }

        private readonly T Apply(T a, T b) => Op switch
        {
            BinaryOp.Add => a + b,
            BinaryOp.Sub => a - b,
            BinaryOp.Mul => a * b,
            _ => a / b,
        };

        private readonly void Slopes(T a, T b, long at)
        {
            var dz = T.Load(DZ + at);
            var dx = Op switch { BinaryOp.Mul => dz * b, BinaryOp.Div => dz / b, _ => dz };
            var zero = T.Broadcast(0);
            var dy = Op switch
            {
                BinaryOp.Mul => dz * a,
                BinaryOp.Div => zero - dz * a / (b * b),
                BinaryOp.Sub => zero - dz,
                _ => dz,
            };
            if (DX is not null) T.Store(DX + at, dx);
            if (DY is not null) T.Store(DY + at, dy);
        }
    }
}
