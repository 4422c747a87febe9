using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>y = f(x) element by element; a and b are the parameters of the function. Backward saves x.</summary>
    /// <exception cref="ArgumentException">x is not a floating-point tensor.</exception>
    public static Tensor Unary(UnaryOp op, Tensor x, double a = 0, double b = 0)
    {
        var name = op.ToString();
        Refuse.NotFloat(name, x);
        var tape = Tape.Of(x);
        var y = x.Device.Allocate(x.Shape, x.DType);
        var args = new UnaryArgs { Op = op, X = x.View, Y = y.View, Count = x.Count, A = a, B = b };
        args.Check();
        x.Device.Backend.Unary(args);
        if (tape is null) return new Tensor(y, name);
        return new Tensor(y, name, tape.Record(new UnaryNode(tape, op, x.Ref.Retain(), x.Node!, a, b)));
    }

    /// <summary>scale * x + shift.</summary>
    public static Tensor Affine(Tensor x, double scale, double shift = 0) => Unary(UnaryOp.Affine, x, scale, shift);

    /// <summary>-x.</summary>
    public static Tensor Neg(Tensor x) => Affine(x, -1);

    /// <summary>e^x.</summary>
    public static Tensor Exp(Tensor x) => Unary(UnaryOp.Exp, x);

    /// <summary>Natural logarithm.</summary>
    public static Tensor Log(Tensor x) => Unary(UnaryOp.Log, x);

    /// <summary>Square root.</summary>
    public static Tensor Sqrt(Tensor x) => Unary(UnaryOp.Sqrt, x);

    /// <summary>Hyperbolic tangent.</summary>
    public static Tensor Tanh(Tensor x) => Unary(UnaryOp.Tanh, x);

    /// <summary>1 / (1 + e^-x).</summary>
    public static Tensor Sigmoid(Tensor x) => Unary(UnaryOp.Sigmoid, x);

    /// <summary>max(x, 0).</summary>
    public static Tensor Relu(Tensor x) => Unary(UnaryOp.Relu, x);

    /// <summary>x * Phi(x), exact; or the tanh approximation. Source: Hendrycks &amp; Gimpel 2016.</summary>
    public static Tensor Gelu(Tensor x, bool tanh = false) => Unary(tanh ? UnaryOp.GeluTanh : UnaryOp.Gelu, x);

    /// <summary>log(1 + e^x), accurate in both tails.</summary>
    public static Tensor Softplus(Tensor x) => Unary(UnaryOp.Softplus, x);

    /// <summary>x².</summary>
    public static Tensor Square(Tensor x) => Unary(UnaryOp.Square, x);

    /// <summary>x^exponent.</summary>
    public static Tensor Pow(Tensor x, double exponent) => Unary(UnaryOp.PowScalar, x, exponent);

    /// <summary>max(low, min(high, x)); the gradient passes inside the bounds and on them.</summary>
    /// <exception cref="ArgumentException">Neither bound is given.</exception>
    public static Tensor Clamp(
        Tensor x, double low = double.NegativeInfinity, double high = double.PositiveInfinity)
    {
        Refuse.Unless(low != double.NegativeInfinity || high != double.PositiveInfinity,
            "Clamp: at least one bound is needed; got neither.");
        return Unary(UnaryOp.Clamp, x, low, high);
    }

    private sealed class UnaryNode(Tape tape, UnaryOp op, TensorRef x, Node input, double a, double b)
        : Node(tape, op.ToString())
    {
        private readonly UnaryOp op = op;

        protected override void Backward(TensorRef dy)
        {
            var dx = input.Open(x.Shape, x.DType);
            var args = new UnaryBackwardArgs
            {
                Op = op, X = x.Unchanged(Op), DY = dy.View, DX = dx.View, Count = x.Shape.Count, A = a, B = b,
            };
            args.Check();
            Backend.UnaryBackward(args);
            dx.Commit();
        }

        protected override void Release() => x.Release();
    }
}
