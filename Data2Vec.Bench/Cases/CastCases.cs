using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Conversions between types.</summary>
internal static class CastCases
{
    private const string Op = nameof(IBackend.Cast);
    private const string Rounds = "rounding makes steps";

    public static IEnumerable<OpCase> Cases =>
    [
        // float64 on Reference, nothing to do in float32: the derivative between floating-point types.
        new(Op, "to float32") { Inputs = [Normal("x", 37)], Run = o => Ops.Cast(o[0], DType.Float32), NoGradientProof = Rounds },
        new(Op, "to bfloat16") { Inputs = [Normal("x", 37).Exact()], Run = o => Ops.Cast(o[0], DType.BFloat16), NoGradientProof = Rounds },
        new(Op, "to bfloat16 and back")
        {
            Inputs = [Uniform("x", -300, 300, 3, 37).Exact()], Run = o => Ops.Cast(Ops.Cast(o[0], DType.BFloat16), DType.Float32), NoGradientProof = Rounds,
        },
        To("float to int32", DType.Int32, Uniform("x", -300, 300, 37).Exact().Constant()),
        To("float to int64", DType.Int64, Uniform("x", -300, 300, 37).Exact().Constant()),
        To("float to bool", DType.Bool, Given("x", [0f, -0f, 1, 0.25f, -3], 5).Constant()),
        To("int32 to float32", DType.Float32, Index("x", 100000, 37)),
        To("int64 to float32", DType.Float32, Index("x", 100000, 37).Wide()),
        To("int32 to int64", DType.Int64, Index("x", 100000, 37)),
        To("bool to float32", DType.Float32, Mask("x", 0.5f, 37)),
        To("nothing", DType.Float32, Mask("x", 0.5f, 0)),
        new(Op, "hidden of base to bfloat16")
        {
            Size = CaseSize.Real, Inputs = [Normal("x", 4, 128, 768).Exact()], Run = o => Ops.Cast(o[0], DType.BFloat16), NoGradientProof = Rounds,
        },
    ];

    /// <summary>No pair of types is refused; operands that are too small are.</summary>
    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "an output that is too small", "Y must hold 1000 elements", [], o =>
        {
            var (x, y) = (o.Allocate(1000, DType.Float32), o.Allocate(10, DType.Int32));
            new CastArgs { X = x, Y = y, Count = 1000 }.Check();
            return null;
        }),
    ];

    private static OpCase To(string name, DType type, Input x) => new(Op, name) { Inputs = [x], Run = o => Ops.Cast(o[0], type) };
}
