using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void CtcLoss(in CtcLossArgs a)
    {
        var type = ElementOf("CtcLoss", a.X);
        var args = new CudaCtcArgs
        {
            X = Address(a.X), Loss = Address(a.Loss), Targets = Address(a.Targets), InputLengths = Address(a.InputLengths),
            TargetLengths = Address(a.TargetLengths), SampleLoss = Address(a.SampleLoss), Alpha = Address(a.Alpha),
            Fault = FaultAddress, Batch = a.Batch, Time = a.Time, Classes = a.Classes, MaxTarget = a.MaxTarget, Blank = a.Blank,
            ZeroInfinity = a.ZeroInfinity ? 1 : 0, Reduction = (int)a.Reduction,
        };
        LaunchSamples(CudaCtc.Alphas[type], CudaCtc.LongAlphas[type], args);
        Launch(CudaCtc.Finish[type], 1, ThreadsFor(a.Batch), args);
    }

    /// <inheritdoc/>
    public void CtcLossBackward(in CtcLossBackwardArgs a)
    {
        var type = ElementOf("CtcLossBackward", a.X);
        var beta = Allocate((long)a.Batch * a.Time * (2 * a.MaxTarget + 1) * sizeof(float));
        var args = new CudaCtcArgs
        {
            X = Address(a.X), Loss = Address(a.DLoss), DX = Address(a.DX), Targets = Address(a.Targets),
            InputLengths = Address(a.InputLengths), TargetLengths = Address(a.TargetLengths), SampleLoss = Address(a.SampleLoss),
            Alpha = Address(a.Alpha), Beta = Address(beta), Fault = FaultAddress, Batch = a.Batch, Time = a.Time,
            Classes = a.Classes, MaxTarget = a.MaxTarget, Blank = a.Blank, ZeroInfinity = a.ZeroInfinity ? 1 : 0,
            Reduction = (int)a.Reduction,
        };
        LaunchSamples(CudaCtc.Betas[type], CudaCtc.LongBetas[type], args);
        Launch(CudaCtc.Backward[type], new Dim3(a.Time, a.Batch), ThreadsFor(Math.Max(2 * a.MaxTarget + 1, a.Classes)), args);
        Free(beta);
    }

    private void LaunchSamples(CudaKernel<CudaCtcArgs> shared, CudaKernel<CudaCtcArgs> inMemory, in CudaCtcArgs args)
    {
        var states = 2 * args.MaxTarget + 1;
        if (states <= CudaCtc.MostStates) Launch(shared, args.Batch, (states + 31) / 32 * 32, args);
        else Launch(inMemory, args.Batch, CudaCtc.MostStates, args);
    }
}

/// <summary>
/// Operands as in <see cref="CtcLossArgs"/>, in backward the loss is its gradient; kernels/ctc.cu, field by field.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaCtcArgs
{
    public ulong X, Loss, DX, Targets, InputLengths, TargetLengths, SampleLoss, Alpha, Beta, Fault;
    public int Batch, Time, Classes, MaxTarget, Blank, ZeroInfinity, Reduction;
    private readonly int reserved;
}

/// <summary>The kernels of kernels/ctc.cu.</summary>
internal static class CudaCtc
{
    /// <summary>States of a sample that the threads of one block can hold.</summary>
    public const int MostStates = 1024;

    private static readonly TypedSource Source = new("ctc.cu");

    public static readonly TypedKernel<CudaCtcArgs> Alphas = new(Source, "ctc_loss_fwd");

    public static readonly TypedKernel<CudaCtcArgs> LongAlphas = new(Source, "ctc_loss_fwd_long");

    public static readonly TypedKernel<CudaCtcArgs> Finish = new(Source, "ctc_loss_fwd_finish");

    public static readonly TypedKernel<CudaCtcArgs> Betas = new(Source, "ctc_loss_bwd_betas");

    public static readonly TypedKernel<CudaCtcArgs> LongBetas = new(Source, "ctc_loss_bwd_betas_long");

    public static readonly TypedKernel<CudaCtcArgs> Backward = new(Source, "ctc_loss_bwd");

    public static IEnumerable<CudaKernel> All =>
        [.. Alphas.Both, .. LongAlphas.Both, .. Finish.Both, .. Betas.Both, .. LongBetas.Both, .. Backward.Both];
}
