using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a)
    {
        var type = ElementOf("Conv1dLayerNorm", a.X);
        var s = a.Shape;
        if (a.Shape.OutputCount == 0) return;
        if (!CudaConv1dNorm.Takes(a, type))
        {
            Conv1dThenLayerNorm.Run(this, a);
            return;
        }
        var sum = Address(a.Sum);
        var norm = CudaRowNorm.Of(a.NormOf(a.Y));
        var convolution = a.ConvolutionTo(a.Sum);
        if (CudaConv1d.TakesSignal(convolution, type))
        {
            var signal = CudaConv1d.SignalOf(convolution);
            (signal.Sums, signal.Y) = (sum, 0);
            Launch(CudaConv1dNorm.Signal, CudaConv1d.SignalGrid(s), 128, new CudaNormedSignalArgs { Signal = signal, Norm = norm },
                CudaConv1dNorm.SignalTileBytes + CudaConv1d.SignalBytes(s));
            return;
        }
        var rows = checked(s.Batch * s.OutTime);
        var product = ConvolutionOf(convolution);
        product.RowTiles = (rows + CudaConv1dNorm.Rows - 1) / CudaConv1dNorm.Rows;
        (product.ColumnTiles, product.Parts, product.PartLength) = (1, 1, product.K);
        var (kernel, columns, bytes) = CudaConv1dNorm.For(s.Out, runtime.Driver.Device.MostSharedBytes);
        Launch(kernel, product.RowTiles, columns / 2, new CudaNormedArgs { Product = product, Norm = norm }, bytes);
    }
}

/// <summary>A convolution of one channel with a norm; kernels/conv1d.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaNormedSignalArgs
{
    public CudaSignalArgs Signal;
    public CudaRowNorm Norm;
}

/// <summary>A convolution with a norm; kernels/conv1d.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaNormedArgs
{
    public CudaProductArgs<CudaTapSignal, CudaMatrix> Product;
    public CudaRowNorm Norm;
}

/// <summary>The kernels of kernels/conv1d.cu that normalise what they have summed, and apply a GELU.</summary>
internal static class CudaConv1dNorm
{
    /// <summary>Rows of a block.</summary>
    public const int Rows = 64;

    /// <summary>Two tiles of 16 frames by 512 channels.</summary>
    public const int SignalTileBytes = 2 * 16 * 512 * sizeof(ushort);

    private const int MostColumns = 512;

    private static readonly CudaSource Source = CudaConv1d.Source.Brain;

    /// <summary>Columns of a block, which are all channels of its rows; and stages of its operands. The first that fits.</summary>
    private static readonly (CudaKernel<CudaNormedArgs> Kernel, int Columns, int Bytes)[] Kernels =
        [Of("128", 128, 3), Of("256", 256, 3), Of("512", 512, 3), Of("512_two_stages", 512, 2)];

    public static readonly CudaKernel<CudaNormedSignalArgs> Signal =
        new(Source, "conv1d_norm_signal", SignalTileBytes + CudaConv1d.MostSignalBytes);

    public static IEnumerable<CudaKernel> All => [.. Kernels.Select(k => k.Kernel), Signal];

    /// <summary>
    /// bfloat16, a GELU, at most 512 channels out, and everything in whole units of 16 bytes; or a signal that has its kernel.
    /// </summary>
    public static bool Takes(in Conv1dLayerNormArgs a, DType type)
    {
        var s = a.Shape;
        if (type != DType.BFloat16 || a.Activation != Activation.Gelu || s.Out > MostColumns || s.Out % 8 != 0) return false;
        foreach (var view in (ReadOnlySpan<BufferView>)[a.X, a.W, a.Sum, a.Gamma, a.Beta, a.Y])
            if (CudaBackend.Address(view) % 16 != 0) return false;
        return s.In == 1 ? CudaConv1d.TakesSignal(a.ConvolutionTo(a.Y), type)
            : s is { Groups: 1, Time: > 0 } && s.In % 8 == 0;
    }

    /// <summary>The narrowest kernel for so many channels that a device has the memory for.</summary>
    public static (CudaKernel<CudaNormedArgs> Kernel, int Columns, int Bytes) For(int channels, int mostShared)
    {
        var i = 0;
        while (channels > Kernels[i].Columns || Kernels[i].Bytes > mostShared) i++;
        return Kernels[i];
    }

    private static (CudaKernel<CudaNormedArgs>, int, int) Of(string name, int columns, int stages)
    {
        var bytes = stages * (Rows + columns) * 64;
        return (new(Source, $"conv1d_norm_{name}", bytes), columns, bytes);
    }
}
