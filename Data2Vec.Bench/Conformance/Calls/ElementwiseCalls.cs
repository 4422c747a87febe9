using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Functions of single elements, by PyTorch's names.</summary>
internal static class ElementwiseCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        foreach (var (name, op) in new (string, UnaryOp)[]
        {
            ("exp", UnaryOp.Exp), ("log", UnaryOp.Log), ("sqrt", UnaryOp.Sqrt), ("rsqrt", UnaryOp.Rsqrt),
            ("reciprocal", UnaryOp.Reciprocal), ("abs", UnaryOp.Abs), ("tanh", UnaryOp.Tanh),
            ("sigmoid", UnaryOp.Sigmoid), ("relu", UnaryOp.Relu), ("silu", UnaryOp.Silu), ("erf", UnaryOp.Erf),
        })
            calls[name] = c => [Unary(op, c["input"])];
        calls["neg"] = c => [Neg(c["input"])];
        calls["gelu"] = c => [Gelu(c["input"], c.Word("approximate", "none") switch
        {
            "none" => false,
            "tanh" => true,
            _ => throw new SignatureException("GELU is exact or tanh"),
        })];
        calls["add"] = c => [Add(c["input"], Times(Other(c), c.Number("alpha", 1)))];
        calls["sub"] = c => [Sub(c["input"], Times(Other(c), c.Number("alpha", 1)))];
        calls["mul"] = c => [Mul(c["input"], Other(c))];
        calls["div"] = Divide;
        calls["pow"] = c => c.Given("exponent")
            ? [Pow(c["input"], c.Number("exponent", 1))]
            : [Binary(BinaryOp.Pow, c["input"], Other(c))];
        calls["maximum"] = c => [Binary(BinaryOp.Maximum, c["input"], c["other"])];
        calls["minimum"] = c => [Binary(BinaryOp.Minimum, c["input"], c["other"])];
        calls["where"] = c => [Where(c["condition"], c["input"], c["other"])];
        calls["masked_fill"] = MaskedFillWith;
        calls["clamp"] = ClampBetween;
        calls["glu"] = GatedLinear;
        calls["dropout"] = c => [Dropout(c["input"], new DropoutSource(c.Number("p", 0.5), 0, default, default))];
    }

    /// <summary>A tensor, or a number as a tensor of no dimensions.</summary>
    private static Tensor Other(OpCall c) => c.Maybe("other") ?? c.Scalar(c.Number("other", double.NaN));

    private static Tensor Times(Tensor x, double factor) => factor == 1 ? x : Affine(x, factor);

    private static Tensor[] Divide(OpCall c)
    {
        var quotient = Div(c["input"], Other(c));
        return c.Word("rounding_mode", "") switch
        {
            "" => [quotient],
            "floor" => [Unary(UnaryOp.Floor, quotient)],
            "trunc" => [Unary(UnaryOp.Truncate, quotient)],
            var other => throw new NotExpressibleException($"there is no rounding \"{other}\""),
        };
    }

    private static Tensor[] MaskedFillWith(OpCall c)
    {
        if (c.Maybe("value") is not { } value) return [MaskedFill(c["input"], c["mask"], c.Number("value", 0))];
        if (value.Shape.Rank > 0)
            throw new SignatureException("MaskedFill takes a number");
        return [Where(c["mask"], value, c["input"])];
    }

    private static Tensor[] ClampBetween(OpCall c)
    {
        var (x, low, high) = (c["input"], c.Maybe("min"), c.Maybe("max"));
        if (low is null && high is null)
        {
            return [Clamp(x, c.Number("min", double.NegativeInfinity), c.Number("max", double.PositiveInfinity))];
        }
        // By comparisons and not by Maximum and Minimum, which would share the gradient of a tie.
        low = low is null ? null : Cast(low, c.Type);
        high = high is null ? null : Cast(high, c.Type);
        if (low is not null) x = Where(Binary(BinaryOp.Less, x, low), low, x);
        return [high is null ? x : Where(Binary(BinaryOp.Greater, x, high), high, x)];
    }

    private static Tensor[] GatedLinear(OpCall c)
    {
        var (x, d) = (c["input"], c.Integer("dim", -1));
        if (x.Shape.Rank == 0) throw new NotExpressibleException("a scalar has no halves");
        var half = x.Shape[d] / 2;
        return [Mul(Slice(x, d, 0, half), Sigmoid(Slice(x, d, half)))];
    }
}
