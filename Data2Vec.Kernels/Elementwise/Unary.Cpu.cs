using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    private const int ElementsPerChunk = 16 * 1024;

    public void Unary(in UnaryArgs a)
    {
        var job = new UnaryRange { Op = a.Op, X = F(a.X), Y = F(a.Y), A = (float)a.A, B = (float)a.B };
        ForRanges(ref job, a.Count, ElementsPerChunk);
    }

    public void UnaryBackward(in UnaryBackwardArgs a)
    {
        var job = new UnaryRange
        {
            Op = a.Op, X = F(a.X), DY = F(a.DY), Y = F(a.DX), A = (float)a.A, B = (float)a.B, Backward = true,
        };
        ForRanges(ref job, a.Count, ElementsPerChunk);
    }

    private struct UnaryRange : IRange
    {
        public UnaryOp Op;
        public float* X, DY, Y;
        public float A, B;
        public bool Backward;

        public readonly void Run(long start, long end, int worker)
        {
            var i = start;
            for (; i + T.Width <= end; i += T.Width) T.Store(Y + i, Value(i, X + i, DY + i));
            if (i == end) return;
            // The rest goes through the same vector code, so that an element's bits do not depend on its place.
            var n = (int)(end - i);
            var x = stackalloc float[16];
            var dy = stackalloc float[16];
            var y = stackalloc float[16];
            for (var k = 0; k < n; k++)
            {
                x[k] = X[i + k];
                if (Backward) dy[k] = DY[i + k];
            }
            T.Store(y, Value(i, x, dy));
            for (var k = 0; k < n; k++) Y[i + k] = y[k];
        }

        private readonly T Value(long i, float* x, float* dy) =>
            Backward ? T.Load(dy) * Slope(T.Load(x)) : Apply(T.Load(x));

        private readonly T Apply(T x)
        {
            switch (Op)
            {
                case UnaryOp.Affine: return T.MultiplyAdd(T.Broadcast(A), x, T.Broadcast(B));
                case UnaryOp.Abs: return T.Abs(x);
                case UnaryOp.Exp: return LaneMath<T>.Exp(x);
                case UnaryOp.Log: return LaneMath<T>.Log(x);
                case UnaryOp.Sqrt: return T.Sqrt(x);
                case UnaryOp.Rsqrt: return T.Broadcast(1) / T.Sqrt(x);
                case UnaryOp.Reciprocal: return T.Broadcast(1) / x;
                case UnaryOp.Tanh: return LaneMath<T>.Tanh(x);
                case UnaryOp.Sigmoid: return LaneMath<T>.Sigmoid(x);
                case UnaryOp.Relu: return T.Max(T.Broadcast(0), x);
                case UnaryOp.Silu: return LaneMath<T>.Silu(x);
                case UnaryOp.Gelu: return LaneMath<T>.Gelu(x);
                case UnaryOp.GeluTanh: return LaneMath<T>.GeluTanh(x);
                case UnaryOp.Erf: return LaneMath<T>.Erf(x);
                case UnaryOp.Square: return x * x;
                case UnaryOp.Clamp: return T.Min(T.Broadcast(B), T.Max(T.Broadcast(A), x));
                default: return Scalar(x);
            }
        }

        private readonly T Slope(T x)
        {
            switch (Op)
            {
                case UnaryOp.Affine: return T.Broadcast(A);
                case UnaryOp.Exp: return LaneMath<T>.Exp(x);
                case UnaryOp.Silu: return LaneMath<T>.SiluSlope(x);
                case UnaryOp.Gelu: return LaneMath<T>.GeluSlope(x);
                case UnaryOp.GeluTanh: return LaneMath<T>.GeluTanhSlope(x);
                case UnaryOp.Square: return x + x;
                case UnaryOp.Tanh:
                    var t = LaneMath<T>.Tanh(x);
                    return T.Broadcast(1) - t * t;
                default: return Scalar(x);
            }
        }

        /// <summary>Functions that no hot loop needs, lane by lane in double with the oracle's formula.</summary>
        private readonly T Scalar(T x)
        {
            var lanes = stackalloc float[16];
            T.Store(lanes, x);
            for (var k = 0; k < T.Width; k++)
            {
                lanes[k] = (float)(Backward
                    ? ElementFunctions.Slope(Op, lanes[k], A, B)
                    : ElementFunctions.Apply(Op, lanes[k], A, B));
            }
            return T.Load(lanes);
        }
    }
}
