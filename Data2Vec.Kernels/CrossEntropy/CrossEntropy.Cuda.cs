using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void CrossEntropy(in CrossEntropyArgs a)
    {
        var type = ElementOf("CrossEntropy", a.X);
        var sums = Allocate(a.Rows * sizeof(float));
        var args = new CudaCrossEntropyArgs
        {
            X = Address(a.X), Weight = Address(a.Weight), Loss = Address(a.Loss), LogSumExp = Address(a.LogSumExp),
            TotalWeight = Address(a.TotalWeight), Sums = Address(sums), Target = CudaIndices.Of(a.Target), Fault = FaultAddress,
            Rows = a.Rows, Ignore = a.IgnoreIndex, Classes = a.Classes, Reduction = (int)a.Reduction,
            Smoothing = (float)a.Smoothing, Hard = (float)(1 - a.Smoothing), Share = (float)(a.Smoothing / a.Classes),
        };
        LaunchRows(CudaCrossEntropy.Warp[type], CudaCrossEntropy.Forward[type], args);
        Launch(CudaCrossEntropy.Finish[type], 1, 1024, args);
        Free(sums);
    }

    /// <inheritdoc/>
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a)
    {
        var type = ElementOf("CrossEntropyBackward", a.X);
        LaunchRows(CudaCrossEntropy.WarpBackward[type], CudaCrossEntropy.Backward[type], new CudaCrossEntropyArgs
        {
            X = Address(a.X), Weight = Address(a.Weight), Loss = Address(a.DLoss), DX = Address(a.DX),
            LogSumExp = Address(a.LogSumExp), TotalWeight = Address(a.TotalWeight), Target = CudaIndices.Of(a.Target),
            Fault = FaultAddress, Rows = a.Rows, Ignore = a.IgnoreIndex, Classes = a.Classes, Reduction = (int)a.Reduction,
            Smoothing = (float)a.Smoothing, Hard = (float)(1 - a.Smoothing), Share = (float)(a.Smoothing / a.Classes),
        });
    }

    private void LaunchRows(
        CudaKernel<CudaCrossEntropyArgs> warp, CudaKernel<CudaCrossEntropyArgs> block, in CudaCrossEntropyArgs args)
    {
        if (args.Classes <= CudaCrossEntropy.MostClassesOfWarp) Launch(warp, (args.Rows + 7) / 8, 256, args);
        else Launch(block, args.Rows, 256, args);
    }
}

/// <summary>
/// Operands as in <see cref="CrossEntropyArgs"/>, in backward the loss is its gradient; kernels/cross_entropy.cu, field by field.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaCrossEntropyArgs
{
    public ulong X, Weight, Loss, DX, LogSumExp, TotalWeight, Sums;
    public CudaIndices Target;
    public ulong Fault;
    public long Rows, Ignore;
    public int Classes, Reduction;
    public float Smoothing, Hard, Share;
    private readonly float reserved;
}

/// <summary>The kernels of kernels/cross_entropy.cu.</summary>
internal static class CudaCrossEntropy
{
    /// <summary>Up to here a warp takes a row; its 64 numbers a thread are on their way before the first is needed.</summary>
    public const int MostClassesOfWarp = 2048;

    private static readonly TypedSource Source = new("cross_entropy.cu");

    public static readonly TypedKernel<CudaCrossEntropyArgs> Warp = new(Source, "cross_entropy_fwd_warp");

    public static readonly TypedKernel<CudaCrossEntropyArgs> Forward = new(Source, "cross_entropy_fwd");

    public static readonly TypedKernel<CudaCrossEntropyArgs> Finish = new(Source, "cross_entropy_fwd_finish");

    public static readonly TypedKernel<CudaCrossEntropyArgs> WarpBackward = new(Source, "cross_entropy_bwd_warp");

    public static readonly TypedKernel<CudaCrossEntropyArgs> Backward = new(Source, "cross_entropy_bwd");

    public static IEnumerable<CudaKernel> All =>
        [.. Warp.Both, .. Forward.Both, .. Finish.Both, .. WarpBackward.Both, .. Backward.Both];
}
