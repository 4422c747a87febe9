using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

/// <summary>
/// The element-wise functions and their derivatives in float32, for kernels; the formulas of <see cref="ElementFunctions"/>.
/// Powers need more digits inside and stand apart, so that the kernels of the others stay small.
/// </summary>
internal static class DeviceFunctions
{
    public static float Apply(UnaryOp op, float x, float a, float b)
    {
        switch (op)
        {
            case UnaryOp.Affine: return a * x + b;
            case UnaryOp.Abs: return DeviceMath.Abs(x);
            case UnaryOp.Exp: return DeviceMath.Exp(x);
            case UnaryOp.Log: return DeviceMath.Log(x);
            case UnaryOp.Sqrt: return DeviceMath.Sqrt(x);
            case UnaryOp.Rsqrt: return 1 / DeviceMath.Sqrt(x);
            case UnaryOp.Reciprocal: return 1 / x;
            case UnaryOp.Tanh: return DeviceMath.Tanh(x);
            case UnaryOp.Sigmoid: return DeviceMath.Sigmoid(x);
            case UnaryOp.Relu: return DeviceMath.Max(x, 0);
            case UnaryOp.Silu: return DeviceMath.Silu(x);
            case UnaryOp.Gelu: return DeviceMath.Gelu(x);
            case UnaryOp.GeluTanh: return DeviceMath.GeluTanh(x);
            case UnaryOp.Erf: return DeviceMath.Erf(x);
            case UnaryOp.Square: return x * x;
            case UnaryOp.Clamp: return DeviceMath.Min(DeviceMath.Max(x, a), b);
            case UnaryOp.Sign: return float.IsNaN(x) ? x : SignOf(x);
            case UnaryOp.Floor: return DeviceMath.Floor(x);
            case UnaryOp.Truncate: return DeviceMath.Truncate(x);
            case UnaryOp.Softplus: return DeviceMath.Softplus(x);
            default: return x;
        }
    }

    public static float Slope(UnaryOp op, float x, float a, float b)
    {
        switch (op)
        {
            case UnaryOp.Affine: return a;
            case UnaryOp.Abs: return SignOf(x);
            case UnaryOp.Exp: return DeviceMath.Exp(x);
            case UnaryOp.Log: return 1 / x;
            case UnaryOp.Sqrt: return 0.5f / DeviceMath.Sqrt(x);
            case UnaryOp.Rsqrt:
                var root = 1 / DeviceMath.Sqrt(x);
                return -0.5f * root * root * root;
            case UnaryOp.Reciprocal:
                // Not 1 / x²: that square overflows and underflows where this one does not matter.
                var part = 1 / x;
                return -(part * part);
            case UnaryOp.Tanh: return 4 * DeviceMath.SigmoidSlope(x + x);
            case UnaryOp.Sigmoid: return DeviceMath.SigmoidSlope(x);
            case UnaryOp.Relu: return x > 0 || float.IsNaN(x) ? 1 : 0;
            case UnaryOp.Silu: return DeviceMath.SiluSlope(x);
            case UnaryOp.Gelu: return DeviceMath.GeluSlope(x);
            case UnaryOp.GeluTanh: return DeviceMath.GeluTanhSlope(x);
            case UnaryOp.Erf: return 1.1283791671f * DeviceMath.GaussianOfSquare(x);
            case UnaryOp.Square: return x + x;
            case UnaryOp.Clamp: return x >= a && x <= b ? 1 : 0;
            case UnaryOp.Softplus: return DeviceMath.Sigmoid(x);
            // Sign, Floor, Truncate.
            default: return 0;
        }
    }

    /// <summary>x^a; powers of 1/2 are roots, as in PyTorch: NaN at -infinity, and the sign of zero stays.</summary>
    public static double Power(float x, double a)
    {
        if (a == 0.5) return DeviceMath.Sqrt(x);
        if (a == -0.5) return 1 / (double)DeviceMath.Sqrt(x);
        return DeviceMath.Pow(x, a);
    }

    public static double PowerSlope(float x, double a) => a == 0 ? 0 : a * Power(x, a - 1);

    /// <summary>Any function of two arguments that gives a number, but the power.</summary>
    public static float Apply(BinaryOp op, float x, float y)
    {
        switch (op)
        {
            case BinaryOp.Add: return x + y;
            case BinaryOp.Sub: return x - y;
            case BinaryOp.Mul: return x * y;
            case BinaryOp.Div: return x / y;
            case BinaryOp.Maximum: return DeviceMath.Max(x, y);
            default: return DeviceMath.Min(x, y);
        }
    }

    public static bool Compare(BinaryOp op, float x, float y)
    {
        switch (op)
        {
            case BinaryOp.Equal: return x == y;
            case BinaryOp.NotEqual: return x != y;
            case BinaryOp.Less: return x < y;
            case BinaryOp.LessOrEqual: return x <= y;
            case BinaryOp.Greater: return x > y;
            default: return x >= y;
        }
    }

    /// <summary>Partial derivatives; a NaN in Maximum and Minimum passes the gradient to both sides, a tie half of it.</summary>
    public static void Slopes(BinaryOp op, float x, float y, out float byX, out float byY)
    {
        byX = 1;
        byY = 1;
        switch (op)
        {
            case BinaryOp.Add:
                break;
            case BinaryOp.Sub:
                byY = -1;
                break;
            case BinaryOp.Mul:
                byX = y;
                byY = x;
                break;
            case BinaryOp.Div:
                byX = 1 / y;
                byY = -(x / y) / y;
                break;
            default:
                if (float.IsNaN(x) || float.IsNaN(y)) break;
                // Floats from the start: of "condition ? 1 : 0" ILGPU's PTX takes the bits of the integer for those of a float.
                byX = x == y ? 0.5f : x > y == (op == BinaryOp.Maximum) ? 1f : 0f;
                byY = 1 - byX;
                break;
        }
    }

    /// <summary>Partial derivatives of x^y.</summary>
    public static void PowerSlopes(float x, float y, out double byX, out double byY)
    {
        byX = y == 0 ? 0 : y * DeviceMath.Pow(x, (double)y - 1);
        byY = x == 0 && y >= 0 ? 0 : DeviceMath.Pow(x, y) * DeviceMath.Log((double)x);
    }

    /// <summary>-1, 0 or 1; 0 for NaN.</summary>
    private static float SignOf(float x) => x > 0 ? 1 : x < 0 ? -1 : 0;
}
