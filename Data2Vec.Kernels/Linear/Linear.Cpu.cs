using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Linear(in LinearArgs a)
    {
        var epilogue = new LinearEpilogue
        {
            Y = F(a.Y), Sums = F(a.PreActivation), Bias = F(a.Bias), Width = a.Out, Activation = a.Activation,
        };
        Gemm<T>.Run(pool, shared.Floats(Gemm<T>.WorkspaceSize(a.Rows, a.Out, a.In)), a.Rows, a.Out, a.In, 1,
            new GemmOperand((nint)F(a.X), a.In, 1), new GemmOperand((nint)F(a.W), 1, a.In), F(a.Y), a.Out, false, epilogue);
    }

    public void LinearBackward(in LinearBackwardArgs a)
    {
        var g = F(a.DY);
        if (a.Activation != Activation.None)
        {
            UnaryBackward(new UnaryBackwardArgs
            {
                Op = a.Activation == Activation.Gelu ? UnaryOp.Gelu : UnaryOp.GeluTanh,
                X = a.PreActivation, DY = a.DY, DX = a.Scratch, Count = (long)a.Rows * a.Out,
            });
            g = F(a.Scratch);
        }
        if (!a.DX.IsNone)
        {
            Gemm<T>.Run(pool, shared.Floats(Gemm<T>.WorkspaceSize(a.Rows, a.In, a.Out)), a.Rows, a.In, a.Out, 1,
                new GemmOperand((nint)g, a.Out, 1), new GemmOperand((nint)F(a.W), a.In, 1), F(a.DX), a.In, false,
                new SlopeEpilogue
                {
                    DX = F(a.DX), Sums = F(a.InputPreActivation), Width = a.In, Activation = a.InputActivation,
                });
        }
        if (!a.DW.IsNone)
        {
            Gemm<T>.Run(pool, shared.Floats(Gemm<T>.WorkspaceSize(a.Out, a.In, a.Rows)), a.Out, a.In, a.Rows, 1,
                new GemmOperand((nint)g, 1, a.Out), new GemmOperand((nint)F(a.X), a.In, 1), F(a.DW), a.In, a.AccumulateW,
                default(NoEpilogue));
        }
        if (a.DBias.IsNone) return;
        var sums = new BiasRange
        {
            G = g, DBias = F(a.DBias), Rows = a.Rows, Columns = a.Out, Accumulate = a.AccumulateBias,
        };
        ForRanges(ref sums, a.Out, 64);
    }

    /// <summary>Bias and activation on tiles that have just been summed.</summary>
    private struct LinearEpilogue : IGemmEpilogue
    {
        public float* Y, Sums, Bias;
        public long Width;
        public Activation Activation;

        public readonly void Apply(int row, int rows, int column, int columns)
        {
            if (Bias is null && Activation == Activation.None) return;
            var rest = stackalloc float[16];
            for (var r = row; r < row + rows; r++)
            {
                var y = Y + r * Width + column;
                var sums = Sums is null ? null : Sums + r * Width + column;
                var bias = Bias is null ? null : Bias + column;
                var c = 0;
                for (; c + T.Width <= columns; c += T.Width)
                {
                    var s = T.Load(y + c);
                    if (bias is not null) s += T.Load(bias + c);
                    if (sums is not null) T.Store(sums + c, s);
                    T.Store(y + c, Activated(Activation, s));
                }
                if (c == columns) continue;
                for (var i = c; i < columns; i++) rest[i - c] = y[i] + (bias is null ? 0 : bias[i]);
                if (sums is not null)
                    for (var i = c; i < columns; i++) sums[i] = rest[i - c];
                T.Store(rest, Activated(Activation, T.Load(rest)));
                for (var i = c; i < columns; i++) y[i] = rest[i - c];
            }
        }
    }

    /// <summary>Slopes of the activation before the layer, on tiles of dx that have just been summed.</summary>
    private struct SlopeEpilogue : IGemmEpilogue
    {
        public float* DX, Sums;
        public long Width;
        public Activation Activation;

        public readonly void Apply(int row, int rows, int column, int columns)
        {
            if (Activation == Activation.None) return;
            for (var r = row; r < row + rows; r++)
            {
                var dx = DX + r * Width + column;
                var sums = Sums + r * Width + column;
                var c = 0;
                for (; c + T.Width <= columns; c += T.Width) T.Store(dx + c, T.Load(dx + c) * Slope(T.Load(sums + c)));
                var rest = columns - c;
                T.StoreFirst(dx + c, T.LoadFirst(dx + c, rest) * Slope(T.LoadFirst(sums + c, rest)), rest);
            }
        }

        private readonly T Slope(T s) =>
            Activation == Activation.Gelu ? LaneMath<T>.GeluSlope(s) : LaneMath<T>.GeluTanhSlope(s);
    }

    private static T Activated(Activation activation, T s) => activation switch
    {
        Activation.None => s,
        Activation.Gelu => LaneMath<T>.Gelu(s),
        _ => LaneMath<T>.GeluTanh(s),
    };

    /// <summary>Column sums: every chunk walks all rows of its columns in order.</summary>
    private struct BiasRange : IRange
    {
        public float* G, DBias;
        public int Rows, Columns;
        public bool Accumulate;

        public readonly void Run(long start, long end, int worker)
        {
            var c = start;
            for (; c + T.Width <= end; c += T.Width)
            {
                var sum = T.Broadcast(0);
                for (var r = 0; r < Rows; r++) sum += T.Load(G + (long)r * Columns + c);
                T.Store(DBias + c, Accumulate ? T.Load(DBias + c) + sum : sum);
            }
            for (; c < end; c++)
            {
                float sum = 0;
                for (var r = 0; r < Rows; r++) sum += G[(long)r * Columns + c];
                DBias[c] = Accumulate ? DBias[c] + sum : sum;
            }
        }
    }
}
