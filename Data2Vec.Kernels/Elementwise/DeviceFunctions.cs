using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

/// <summary>The element-wise functions and their derivatives in float32, for kernels; the formulas of <see cref="ElementFunctions"/>.</summary>
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
            case UnaryOp.Softplus: return DeviceMath.Softplus(x);
            default: return x;
        }
    }

    public static float Slope(UnaryOp op, float x, float a, float b)
    {
        switch (op)
        {
            case UnaryOp.Affine: return a;
            default: return 0;
        }
    }
}
