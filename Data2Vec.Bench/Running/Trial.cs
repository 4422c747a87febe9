using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Bench.Running;

/// <summary>
/// Another way in which a CUDA device may run a case than the one that the case's small shapes get: so that every kernel is
/// compared with the oracle, and not only those for small shapes.
/// </summary>
internal sealed class Trial
{
    // Operations with a choice between kernels that depends on how large a device they fill.
    private static readonly HashSet<string> Products =
        ["MatMul", "Linear", "FeedForward", "Conv1d", "Conv1dLayerNorm", "PatchEmbedding"];

    private readonly CudaBackend backend;
    private readonly Action<CudaBackend> set;

    private Trial(string name, CudaBackend backend, Action<CudaBackend> set)
    {
        Name = name;
        this.backend = backend;
        this.set = set;
    }

    /// <summary>For messages: "with large tiles".</summary>
    public string Name { get; }

    /// <summary>The precision that operands are rounded to; null = that of their type.</summary>
    public double? Epsilon { get; private init; }

    /// <summary>Those of a case; none for devices that are no CUDA device.</summary>
    public static IEnumerable<Trial> Of(Device device, OpCase c, DType type)
    {
        if (device.Backend is not CudaBackend backend) yield break;
        // A library cuts its products as it likes.
        if (Products.Contains(c.Op) && backend.OwnProducts)
        {
            yield return new("with large tiles", backend, b => b.Plan = Plans.Cut(true, 1));
            yield return new("with sums in parts", backend, b => b.Plan = Plans.Cut(false, 2));
            yield return new("with large tiles and sums in parts", backend, b => b.Plan = Plans.Cut(true, 3));
        }
        if (c.Op is "MatMul" or "Linear" or "FeedForward" && type == DType.Float32 && backend.OwnProducts)
        {
            yield return new("with tensor cores", backend, b => b.TensorFloat32 = true) { Epsilon = TensorEpsilon };
            yield return new("with tensor cores and large tiles", backend, b =>
            {
                b.TensorFloat32 = true;
                b.Plan = Plans.Cut(true, 1);
            }) { Epsilon = TensorEpsilon };
        }
        if (c.Op == "Attention" && type == DType.BFloat16)
        {
            yield return new("with resident keys", backend, b => b.FewestResidentHeads = 0);
            yield return new("without resident keys", backend, b => b.FewestResidentHeads = int.MaxValue);
        }
    }

    /// <summary>tf32 has ten digits behind the point.</summary>
    private static double TensorEpsilon => Math.ScaleB(1, -10);

    /// <summary>Runs something in this way.</summary>
    public T Run<T>(Func<T> call)
    {
        var (plan, tensor, heads) = (backend.Plan, backend.TensorFloat32, backend.FewestResidentHeads);
        set(backend);
        try
        {
            return call();
        }
        finally
        {
            (backend.Plan, backend.TensorFloat32, backend.FewestResidentHeads) = (plan, tensor, heads);
        }
    }
}
