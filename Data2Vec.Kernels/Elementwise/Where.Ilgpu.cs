using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Where(in WhereArgs a)
    {
        switch (a.X.DType.Size())
        {
            case 8: Run<ulong>(a); break;
            case 4: Run<uint>(a); break;
            case 2: Run<ushort>(a); break;
            default: Run<byte>(a); break;
        }

        void Run<T>(in WhereArgs a)
            where T : unmanaged
        {
            var layout = new MergedLayout(a.Shape, a.XStrides, a.YStrides, a.ConditionStrides);
            LaunchElements(WhereKernels<T>.Forward, a.Shape.Count, new WhereKernelArgs<T>
            {
                Condition = View<byte>(a.Condition.At(layout.Lowest(layout.Z))), X = View<T>(a.X.At(layout.Lowest(layout.X))),
                Y = View<T>(a.Y.At(layout.Lowest(layout.Y))), Z = View<T>(a.Z), Layout = DeviceLayout.Of(layout),
                Count = a.Shape.Count,
            });
        }
    }
}

/// <summary>Operands as in <see cref="WhereArgs"/>; the layout's third operand is the condition.</summary>
internal struct WhereKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<byte> Condition;
    public ArrayView<T> X, Y, Z;
    public DeviceLayout Layout;
    public long Count;
}

internal static class WhereKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        WhereKernels<byte>.Forward, WhereKernels<ushort>.Forward, WhereKernels<uint>.Forward, WhereKernels<ulong>.Forward,
    ];
}

/// <summary>Selection; elements are bytes without a meaning.</summary>
internal static class WhereKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<WhereKernelArgs<T>> Forward = new($"where_fwd {KernelNames.OfSize<T>()}", Choose);

    private static void Choose(WhereKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            a.Layout.Offsets(i, out var x, out var y, out var condition);
            a.Z[i] = a.Condition[condition] != 0 ? a.X[x] : a.Y[y];
        }
    }
}
