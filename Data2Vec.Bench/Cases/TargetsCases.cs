using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>Teacher layers normalised and averaged.</summary>
internal static class TargetsCases
{
    private const string Op = nameof(IBackend.Targets);

    public static IEnumerable<OpCase> Cases =>
    [
        Of("None", TargetNorm.None, 3, 2, 5, 7),
        Of("None, final norm", TargetNorm.None, 2, 2, 5, 24, final: true),
        Of("Layer, odd width", TargetNorm.Layer, 3, 2, 5, 17),
        Of("Layer, one layer", TargetNorm.Layer, 1, 1, 4, 24),
        Of("Layer, whole vectors", TargetNorm.Layer, 4, 3, 3, 64),
        Of("Layer, several warps", TargetNorm.Layer, 2, 1, 6, 264),
        Of("Layer, wide", TargetNorm.Layer, 2, 1, 2, 1032),
        Of("Layer, final norm", TargetNorm.Layer, 3, 2, 5, 19, final: true),
        Of("Layer, whole vectors, final norm", TargetNorm.Layer, 3, 2, 5, 40, final: true),
        Of("Layer, no samples", TargetNorm.Layer, 2, 0, 3, 4),
        Of("Layer, 32 layers", TargetNorm.Layer, 32, 1, 2, 8),
        Of("Instance, odd sizes", TargetNorm.Instance, 3, 2, 7, 19),
        Of("Instance, whole vectors", TargetNorm.Instance, 2, 2, 9, 72),
        Of("Instance, many frames", TargetNorm.Instance, 2, 1, 301, 16),
        Of("Instance, many frames, odd width", TargetNorm.Instance, 2, 1, 301, 9),
        Of("Instance, final norm", TargetNorm.Instance, 2, 2, 7, 24, final: true),
        Of("Instance, no samples", TargetNorm.Instance, 2, 0, 3, 4),
        Of("Instance, large eps", TargetNorm.Instance, 2, 2, 7, 19, eps: 0.5),
        new(Op, "Instance, one frame gives zeros")
        {
            Inputs = [Normal("x", 2, 1, 5).Constant()], Run = o => Ops.Targets([o[0]], TargetNorm.Instance),
        },
        Of("Instance, far from zero", TargetNorm.Instance, 2, 1, 65, 8, offset: 1000),
        Of("Layer, far from zero", TargetNorm.Layer, 2, 1, 3, 64, offset: 1000),
        Of("text of base", TargetNorm.Layer, 10, 2, 128, 768, size: CaseSize.Real),
        Of("vision of base", TargetNorm.None, 6, 2, 197, 768, final: true, size: CaseSize.Real),
        Of("audio of base", TargetNorm.Instance, 8, 1, 249, 768, size: CaseSize.Real),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Op, "no layers", "1 to 32 layers", [Normal("x", 2, 3, 4)], _ => Ops.Targets([], TargetNorm.None)),
        new(Op, "layers of two shapes", "layers must have one shape", [Normal("x", 2, 3, 4), Normal("z", 2, 3, 5)],
            o => Ops.Targets([o[0], o[1]], TargetNorm.None)),
        new(Op, "two dimensions", "[batch, time, channels]", [Normal("x", 2, 4)], o => Ops.Targets([o[0]], TargetNorm.None)),
    ];

    private static OpCase Of(
        string name, TargetNorm norm, int layers, int batch, int time, int channels, bool final = false, double eps = 1e-5,
        float offset = 0, CaseSize size = CaseSize.Tiny)
    {
        Input Layer(int k) => offset > 0
            ? Uniform($"x{k}", offset, offset + 1, batch, time, channels).Constant() : Normal($"x{k}", batch, time, channels).Constant();
        IReadOnlyList<Tensor> Layers(Operands o) => [.. Enumerable.Range(0, layers).Select(k => o[k])];
        return new(Op, name)
        {
            Size = size, Inputs = [.. Enumerable.Range(0, layers).Select(Layer)],
            ReductionLength = norm == TargetNorm.Instance ? Math.Max(time, channels) : channels,
            Run = o => Ops.Targets(Layers(o), norm, final, eps),
            Composite = size == CaseSize.Tiny ? o => Composed(Layers(o), norm, final, eps) : null,
            Bytes = (long)batch * time * channels * sizeof(float) * (layers + 1),
        };
    }

    private static Tensor Composed(IReadOnlyList<Tensor> layers, TargetNorm norm, bool final, double eps)
    {
        Tensor? sum = null;
        foreach (var layer in layers)
        {
            var x = norm switch
            {
                TargetNorm.Layer => Ops.LayerNorm(layer, null, null, eps: eps),
                TargetNorm.Instance => Ops.InstanceNorm(layer, eps),
                _ => layer,
            };
            sum = sum is null ? x : Ops.Add(sum, x);
        }
        var mean = Ops.Affine(sum!, 1.0 / layers.Count);
        return final ? Ops.LayerNorm(mean, null, null, eps: eps) : mean;
    }
}
