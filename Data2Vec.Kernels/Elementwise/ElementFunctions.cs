namespace Data2Vec.Kernels;

/// <summary>The element-wise functions and their derivatives in double: the formulas of the oracle.</summary>
internal static class ElementFunctions
{
    public static double Apply(UnaryOp op, double x, double a, double b) => op switch
    {
        UnaryOp.Affine => a * x + b,
        UnaryOp.Abs => Math.Abs(x),
        UnaryOp.Exp => Math.Exp(x),
        UnaryOp.Log => Math.Log(x),
        UnaryOp.Sqrt => Math.Sqrt(x),
        UnaryOp.Rsqrt => 1 / Math.Sqrt(x),
        UnaryOp.Reciprocal => 1 / x,
        UnaryOp.Tanh => Math.Tanh(x),
        UnaryOp.Sigmoid => Sigmoid(x),
        UnaryOp.Relu => double.IsNaN(x) ? x : Math.Max(x, 0),
        UnaryOp.Silu => x * Sigmoid(x),
        UnaryOp.Gelu => x * NormalCdf(x),
        UnaryOp.GeluTanh => 0.5 * x * (1 + Math.Tanh(TanhArgument(x))),
        UnaryOp.Erf => ErrorFunction.Erf(x),
        UnaryOp.Square => x * x,
        UnaryOp.PowScalar => Power(x, a),
        UnaryOp.Clamp => double.IsNaN(x) ? x : Math.Min(Math.Max(x, a), b),
        UnaryOp.Sign => double.IsNaN(x) ? x : Math.Sign(x),
        UnaryOp.Floor => Math.Floor(x),
        UnaryOp.Truncate => Math.Truncate(x),
        UnaryOp.Softplus => Math.Max(x, 0) + LogOfOnePlus(Math.Exp(-Math.Abs(x))),
        _ => throw new ArgumentOutOfRangeException(nameof(op), $"Unary: {op} is not a known function."),
    };

    public static double Slope(UnaryOp op, double x, double a, double b)
    {
        switch (op)
        {
            case UnaryOp.Affine: return a;
            case UnaryOp.Abs: return double.IsNaN(x) ? 0 : Math.Sign(x);
            case UnaryOp.Exp: return Math.Exp(x);
            case UnaryOp.Log: return 1 / x;
            case UnaryOp.Sqrt: return 0.5 / Math.Sqrt(x);
            case UnaryOp.Rsqrt:
                var r = 1 / Math.Sqrt(x);
                return -0.5 * r * r * r;
            case UnaryOp.Reciprocal: return -1 / (x * x);
            case UnaryOp.Tanh:
                var t = Math.Tanh(x);
                return 1 - t * t;
            case UnaryOp.Sigmoid:
                var s = Sigmoid(x);
                return s * (1 - s);
            case UnaryOp.Relu: return x > 0 || double.IsNaN(x) ? 1 : 0;
            case UnaryOp.Silu:
                var g = Sigmoid(x);
                return g * (1 + x * (1 - g));
            case UnaryOp.Gelu: return NormalCdf(x) + x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
            case UnaryOp.GeluTanh:
                var u = Math.Tanh(TanhArgument(x));
                return 0.5 * (1 + u)
                    + 0.5 * x * (1 - u * u) * Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
            case UnaryOp.Erf: return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x);
            case UnaryOp.Square: return 2 * x;
            case UnaryOp.PowScalar: return a == 0 ? 0 : a * Power(x, a - 1);
            case UnaryOp.Clamp: return x >= a && x <= b ? 1 : 0;
            case UnaryOp.Softplus: return Sigmoid(x);
            case UnaryOp.Sign or UnaryOp.Floor or UnaryOp.Truncate: return 0;
            default: throw new ArgumentOutOfRangeException(nameof(op), $"UnaryBackward: {op} is not a known function.");
        }
    }

    /// <summary>Powers of 1/2 are roots, as in PyTorch: NaN at -infinity, and the sign of zero stays.</summary>
    private static double Power(double x, double a) => a switch
    {
        0.5 => Math.Sqrt(x),
        -0.5 => 1 / Math.Sqrt(x),
        _ => Math.Pow(x, a),
    };

    private static double Sigmoid(double x) =>
        x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    /// <summary>log(1 + e) for e in [0, 1]: what rounding takes from 1 + e, it takes from the quotient too.</summary>
    private static double LogOfOnePlus(double e)
    {
        var sum = 1 + e;
        return sum == 1 ? e : Math.Log(sum) * (e / (sum - 1));
    }

    private static double NormalCdf(double x) => NormalDistribution.Cdf(x);

    private static double TanhArgument(double x) => Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);

    public static double Apply(BinaryOp op, double x, double y) => op switch
    {
        BinaryOp.Add => x + y,
        BinaryOp.Sub => x - y,
        BinaryOp.Mul => x * y,
        BinaryOp.Div => x / y,
        BinaryOp.Pow => Math.Pow(x, y),
        BinaryOp.Maximum => Math.Max(x, y),
        BinaryOp.Minimum => Math.Min(x, y),
        BinaryOp.Equal => x == y ? 1 : 0,
        BinaryOp.NotEqual => x != y ? 1 : 0,
        BinaryOp.Less => x < y ? 1 : 0,
        BinaryOp.LessOrEqual => x <= y ? 1 : 0,
        BinaryOp.Greater => x > y ? 1 : 0,
        BinaryOp.GreaterOrEqual => x >= y ? 1 : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(op), $"Binary: {op} is not a known function."),
    };

    /// <summary>Partial derivatives by x and y. A NaN in Maximum and Minimum passes the gradient to both sides.</summary>
    public static (double ByX, double ByY) Slopes(BinaryOp op, double x, double y) => op switch
    {
        BinaryOp.Add => (1, 1),
        BinaryOp.Sub => (1, -1),
        BinaryOp.Mul => (y, x),
        BinaryOp.Div => (1 / y, -(x / y) / y),
        BinaryOp.Pow => (y == 0 ? 0 : y * Math.Pow(x, y - 1), x == 0 && y >= 0 ? 0 : Math.Pow(x, y) * Math.Log(x)),
        BinaryOp.Maximum => double.IsNaN(x) || double.IsNaN(y) ? (1, 1) : x > y ? (1, 0) : x < y ? (0, 1) : (0.5, 0.5),
        BinaryOp.Minimum => double.IsNaN(x) || double.IsNaN(y) ? (1, 1) : x < y ? (1, 0) : x > y ? (0, 1) : (0.5, 0.5),
        _ => throw new ArgumentOutOfRangeException(nameof(op), $"BinaryBackward: {op} has no derivative."),
    };
}
