using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Dropout(in DropoutArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Dropout", a.X.DType);

        void Run<T>(in DropoutArgs a)
            where T : unmanaged, IElement<T> => LaunchElements(
                a.Group == 1 ? DropoutKernels<T>.Elements : DropoutKernels<T>.Samples, Chunk.Count(a.Count),
                new DropoutKernelArgs<T>
                {
                    X = View<T>(a.X), Y = View<T>(a.Y), Count = a.Count, Group = a.Group,
                    Mode = Chunk.Mode(a.X, a.Y), Source = DeviceDropout.Of(a.Source),
                });
    }
}

/// <summary>Operands as in <see cref="DropoutArgs"/>.</summary>
internal struct DropoutKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y;
    public DeviceDropout Source;
    public long Count, Group;
    public int Mode;
}

internal static class DropoutKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        DropoutKernels<Full>.Elements, DropoutKernels<Full>.Samples, DropoutKernels<Brain>.Elements, DropoutKernels<Brain>.Samples,
    ];
}

/// <summary>Four neighbours to a thread: with a draw for each element they share a block of random words.</summary>
internal static class DropoutKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<DropoutKernelArgs<T>> Elements = new($"dropout_fwd {KernelNames.Of<T>()}", ByElement);

    public static readonly KernelSource<DropoutKernelArgs<T>> Samples = new($"dropout_fwd_samples {KernelNames.Of<T>()}", BySample);

    private static void ByElement(DropoutKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            var left = a.Count - at;
            var x = Chunk.Load(a.X, at, left, a.Mode);
            Chunk.Store(x * a.Source.Factors(at, left), a.Y, at, left, a.Mode);
        }
    }

    private static void BySample(DropoutKernelArgs<T> a)
    {
        for (var at = GridLoop.Start * 4; at < a.Count; at += GridLoop.Step * 4)
        {
            var left = a.Count - at;
            var x = Chunk.Load(a.X, at, left, a.Mode);
            GridLoop.Split(at, a.Group, out var sample, out var element);
            var factor = a.Source.Factor(sample);
            for (var lane = 0; lane < 4; lane++)
            {
                x.Push(x.A * factor);
                if (++element < a.Group || lane + 1 >= left) continue;
                element = 0;
                factor = a.Source.Factor(++sample);
            }
            Chunk.Store(x, a.Y, at, left, a.Mode);
        }
    }
}
