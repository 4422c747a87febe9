using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Targets(in TargetsArgs a)
    {
        var type = ElementOf("Targets", a.Layers[0]);
        var args = new CudaTargetsArgs
        {
            Y = Address(a.Y), Rows = a.Rows, LayerCount = a.LayerCount, Batch = a.Batch, Time = a.Time, Channels = a.Channels,
            Norm = (int)a.Norm, FinalNorm = a.FinalLayerNorm ? 1 : 0, Eps = (float)a.Eps,
        };
        var packs = InPacks(type, a.Channels, a.Y);
        for (var k = 0; k < a.LayerCount; k++)
        {
            args.Layers[k] = Address(a.Layers[k]);
            packs &= InPacks(type, a.Channels, a.Layers[k]);
        }
        if (a.Norm == TargetNorm.Instance)
        {
            AverageOverTime(type, packs, ref args);
            if (!a.FinalLayerNorm) return;
            LayerNorm(new LayerNormArgs { X = a.Y, Y = a.Y, Rows = a.Rows, Columns = a.Channels, Eps = a.Eps });
            return;
        }
        var width = packs ? CudaLayerNorm.WidthFor(a.Channels) : -1;
        if (width >= 0)
        {
            var warps = CudaLayerNorm.ForwardWarps;
            Launch(CudaTargets.Held[width][type], (a.Rows + warps - 1) / warps, 32 * warps, args);
        }
        else
        {
            Launch(CudaTargets.Forward[type], a.Rows, ThreadsFor(a.Channels), args);
        }
    }

    private void AverageOverTime(DType type, bool packs, ref CudaTargetsArgs args)
    {
        var statistics = Allocate(2L * args.LayerCount * args.Batch * args.Channels * sizeof(float));
        args.Statistics = Address(statistics);
        // Threads side by side in a stripe, and what each of them takes.
        var stripe = packs ? 8 * 16 / type.Size() : 32;
        var slots = packs ? 32 : 8;
        var stripes = (args.Channels + stripe - 1) / stripe;
        Launch((packs ? CudaTargets.PackedStatistics : CudaTargets.Statistics)[type],
            new Dim3(stripes, args.Batch, args.LayerCount), 256, args);
        Launch((packs ? CudaTargets.PackedInstance : CudaTargets.Instance)[type],
            new Dim3(stripes, (args.Time + 4 * slots - 1) / (4 * slots), args.Batch), 256, args);
        Free(statistics);
    }
}

/// <summary>Addresses of the layers.</summary>
[InlineArray(TargetsArgs.MostLayers)]
internal struct CudaLayerAddresses
{
    private ulong first;
}

/// <summary>Operands as in <see cref="TargetsArgs"/>; kernels/targets.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaTargetsArgs
{
    public CudaLayerAddresses Layers;
    public ulong Y, Statistics;
    public long Rows;
    public int LayerCount, Batch, Time, Channels, Norm, FinalNorm;
    public float Eps;
    private readonly float reserved;
}

/// <summary>The kernels of kernels/targets.cu.</summary>
internal static class CudaTargets
{
    private static readonly int[] Widths = [256, 512, 768, 1024];

    private static readonly TypedSource Source = new("targets.cu");

    /// <summary>A warp holds a position; by <see cref="CudaLayerNorm.WidthFor"/>.</summary>
    public static readonly TypedKernel<CudaTargetsArgs>[] Held =
        [.. Widths.Select(w => new TypedKernel<CudaTargetsArgs>(Source, $"targets_fwd_w{w}"))];

    public static readonly TypedKernel<CudaTargetsArgs> Forward = new(Source, "targets_fwd");

    public static readonly TypedKernel<CudaTargetsArgs> PackedStatistics = new(Source, "targets_statistics_packs");

    public static readonly TypedKernel<CudaTargetsArgs> Statistics = new(Source, "targets_statistics");

    public static readonly TypedKernel<CudaTargetsArgs> PackedInstance = new(Source, "targets_instance_packs");

    public static readonly TypedKernel<CudaTargetsArgs> Instance = new(Source, "targets_instance");

    public static IEnumerable<CudaKernel> All =>
    [
        .. Held.SelectMany(k => k.Both), .. Forward.Both, .. PackedStatistics.Both, .. Statistics.Both, .. PackedInstance.Both,
        .. Instance.Both,
    ];
}
