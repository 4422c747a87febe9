using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void InstanceNorm(in InstanceNormArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("InstanceNorm", a.X.DType);

        void Run<T>(in InstanceNormArgs a)
            where T : unmanaged, IElement<T>
        {
            var args = new InstanceNormKernelArgs<T>
            {
                X = View<T>(a.X), Y = View<T>(a.Y), Mean = View<float>(a.Mean), Rstd = View<float>(a.Rstd), Time = a.Time,
                Channels = a.Channels, Eps = (float)a.Eps,
            };
            Launch(InstanceNormKernels<T>.Forward, ChannelTile.Groups(a.Channels, a.Batch), ChannelTile.Threads(a.Time), args);
        }
    }

    /// <inheritdoc/>
    public void InstanceNormBackward(in InstanceNormBackwardArgs a)
    {
        if (a.X.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.X.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("InstanceNormBackward", a.X.DType);

        void Run<T>(in InstanceNormBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var args = new InstanceNormKernelArgs<T>
            {
                X = View<T>(a.X), DY = View<T>(a.DY), Y = View<T>(a.DX), Mean = View<float>(a.Mean), Rstd = View<float>(a.Rstd),
                Time = a.Time, Channels = a.Channels,
            };
            Launch(InstanceNormKernels<T>.Backward, ChannelTile.Groups(a.Channels, a.Batch), ChannelTile.Threads(a.Time), args);
        }
    }
}

/// <summary>Operands as in <see cref="InstanceNormArgs"/>; backward writes its gradient to Y.</summary>
internal struct InstanceNormKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, DY, Y;
    public ArrayView<float> Mean, Rstd;
    public float Eps;
    public int Time, Channels;
}

/// <summary>
/// How a group shares [time, channels]: neighbouring threads take neighbouring channels, the warps take turns in time and
/// add up what they found.
/// </summary>
internal static class ChannelTile
{
    private const int Lanes = 32;

    private const int MostSlices = RowReduction.GroupSize / Lanes;

    public static Index3D Groups(int channels, int batch) => new((channels + Lanes - 1) / Lanes, batch, 1);

    public static int Threads(int time) => Lanes * Math.Clamp(time, 1, MostSlices);

    /// <summary>Channel of this thread; may be past the end.</summary>
    public static int Channel => Grid.IdxX * Lanes + Group.IdxX % Lanes;

    /// <summary>First frame of this thread.</summary>
    public static int Slice => Group.IdxX / Lanes;

    /// <summary>Frames from one of this thread to its next.</summary>
    public static int Slices => Group.DimX / Lanes;

    /// <summary>Two sums over the threads that share a channel; every thread of the group must call.</summary>
    public static void Sum(ref float first, ref float second)
    {
        var shared = SharedMemory.Allocate<float>(2 * RowReduction.GroupSize);
        shared[Group.IdxX] = first;
        shared[Group.IdxX + RowReduction.GroupSize] = second;
        Group.Barrier();
        float a = 0, b = 0;
        for (var i = Group.IdxX % Lanes; i < Group.DimX; i += Lanes)
        {
            a += shared[i];
            b += shared[i + RowReduction.GroupSize];
        }
        Group.Barrier();
        first = a;
        second = b;
    }
}

internal static class InstanceNormKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        InstanceNormKernels<Full>.Forward, InstanceNormKernels<Full>.Backward,
        InstanceNormKernels<Brain>.Forward, InstanceNormKernels<Brain>.Backward,
    ];
}

internal static class InstanceNormKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<InstanceNormKernelArgs<T>> Forward = new(
        $"instance_norm_fwd {KernelNames.Of<T>()}", Normalise);

    public static readonly KernelSource<InstanceNormKernelArgs<T>> Backward = new(
        $"instance_norm_bwd {KernelNames.Of<T>()}", Slopes);

    private static void Normalise(InstanceNormKernelArgs<T> a)
    {
        var c = ChannelTile.Channel;
        var end = c < a.Channels ? a.Time : 0;
        var from = (long)Grid.IdxY * a.Time * a.Channels + c;
        float sum = 0, none = 0;
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices) sum += a.X[from + (long)t * a.Channels].Widen();
        ChannelTile.Sum(ref sum, ref none);
        var mean = sum / a.Time;
        // Around the mean, and what rounding left of it (Chan, Golub and LeVeque 1983).
        float rest = 0, squares = 0;
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices)
        {
            var d = a.X[from + (long)t * a.Channels].Widen() - mean;
            rest += d;
            squares += d * d;
        }
        ChannelTile.Sum(ref rest, ref squares);
        rest /= a.Time;
        var variance = squares / a.Time - rest * rest;
        var rstd = 1 / DeviceMath.Sqrt((variance < 0 ? 0 : variance) + a.Eps);
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices)
        {
            var at = from + (long)t * a.Channels;
            a.Y[at] = default(T).Narrow((a.X[at].Widen() - mean - rest) * rstd);
        }
        if (ChannelTile.Slice != 0 || c >= a.Channels) return;
        var statistics = (long)Grid.IdxY * a.Channels + c;
        if (a.Mean.Length != 0) a.Mean[statistics] = mean + rest;
        if (a.Rstd.Length != 0) a.Rstd[statistics] = rstd;
    }

    private static void Slopes(InstanceNormKernelArgs<T> a)
    {
        var c = ChannelTile.Channel;
        var end = c < a.Channels ? a.Time : 0;
        var from = (long)Grid.IdxY * a.Time * a.Channels + c;
        float mean = 0, rstd = 0;
        if (c < a.Channels)
        {
            mean = a.Mean[(long)Grid.IdxY * a.Channels + c];
            rstd = a.Rstd[(long)Grid.IdxY * a.Channels + c];
        }
        float meanDY = 0, meanDYH = 0;
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices)
        {
            var at = from + (long)t * a.Channels;
            var dy = a.DY[at].Widen();
            meanDY += dy;
            meanDYH += dy * ((a.X[at].Widen() - mean) * rstd);
        }
        ChannelTile.Sum(ref meanDY, ref meanDYH);
        meanDY /= a.Time;
        meanDYH /= a.Time;
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices)
        {
            var at = from + (long)t * a.Channels;
            var h = (a.X[at].Widen() - mean) * rstd;
            a.Y[at] = default(T).Narrow((a.DY[at].Widen() - meanDY - h * meanDYH) * rstd);
        }
    }
}
