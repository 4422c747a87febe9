using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void Targets(in TargetsArgs a)
    {
        var type = a.Layers[0].DType;
        if (type == DType.BFloat16) Run<Brain>(a);
        else if (type == DType.Float32) Run<Full>(a);
        else throw NoSuchType("Targets", type);

        void Run<T>(in TargetsArgs a)
            where T : unmanaged, IElement<T>
        {
            for (var k = 0; k < a.LayerCount; k++)
            {
                var args = new TargetsKernelArgs<T>
                {
                    X = View<T>(a.Layers[k]), Y = View<float>(a.Y), Time = a.Time, Channels = a.Channels,
                    Normalises = a.Norm == TargetNorm.None ? 0 : 1, First = k == 0 ? 1 : 0, Share = 1f / a.LayerCount,
                    Eps = (float)a.Eps,
                };
                if (a.Norm == TargetNorm.Instance)
                {
                    Launch(TargetsKernels<T>.Stripes, ChannelTile.Groups(a.Channels, a.Batch), ChannelTile.Threads(a.Time), args);
                }
                else
                {
                    Launch(TargetsKernels<T>.Rows, new Index3D((int)a.Rows, 1, 1), GroupSize(a.Channels), args);
                }
            }
            if (!a.FinalLayerNorm) return;
            LayerNorm(new LayerNormArgs { X = a.Y, Y = a.Y, Rows = a.Rows, Columns = a.Channels, Eps = a.Eps });
        }
    }
}

/// <summary>One layer of a <see cref="TargetsArgs"/>.</summary>
internal struct TargetsKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X;
    public ArrayView<float> Y;
    public int Time, Channels, Normalises, First;
    public float Share, Eps;
}

internal static class TargetsKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        TargetsKernels<Full>.Rows, TargetsKernels<Full>.Stripes, TargetsKernels<Brain>.Rows, TargetsKernels<Brain>.Stripes,
    ];
}

/// <summary>y (+)= norm(x) share, layer by layer.</summary>
internal static class TargetsKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>A group takes a position, normalised over channels or as it is.</summary>
    public static readonly KernelSource<TargetsKernelArgs<T>> Rows = new($"targets_rows {KernelNames.Of<T>()}", AddRow);

    /// <summary>A group takes a stripe of channels, normalised over time.</summary>
    public static readonly KernelSource<TargetsKernelArgs<T>> Stripes = new($"targets_stripes {KernelNames.Of<T>()}", AddStripe);

    private static void AddRow(TargetsKernelArgs<T> a)
    {
        var row = (long)Grid.IdxX * a.Channels;
        float mean = 0, scale = a.Share;
        if (a.Normalises != 0)
        {
            for (var c = Group.IdxX; c < a.Channels; c += Group.DimX) mean += a.X[row + c].Widen();
            mean = RowReduction.Sum(mean) / a.Channels;
            float rest = 0, squares = 0;
            for (var c = Group.IdxX; c < a.Channels; c += Group.DimX)
            {
                var d = a.X[row + c].Widen() - mean;
                rest += d;
                squares += d * d;
            }
            RowReduction.Sum(ref rest, ref squares);
            Finish(a, rest / a.Channels, squares / a.Channels, ref mean, ref scale);
        }
        for (var c = Group.IdxX; c < a.Channels; c += Group.DimX) Add(a, row + c, mean, scale);
    }

    private static void AddStripe(TargetsKernelArgs<T> a)
    {
        var channel = ChannelTile.Channel;
        var end = channel < a.Channels ? a.Time : 0;
        var from = (long)Grid.IdxY * a.Time * a.Channels + channel;
        float mean = 0, scale = a.Share, none = 0;
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices) mean += a.X[from + (long)t * a.Channels].Widen();
        ChannelTile.Sum(ref mean, ref none);
        mean /= a.Time;
        float rest = 0, squares = 0;
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices)
        {
            var d = a.X[from + (long)t * a.Channels].Widen() - mean;
            rest += d;
            squares += d * d;
        }
        ChannelTile.Sum(ref rest, ref squares);
        Finish(a, rest / a.Time, squares / a.Time, ref mean, ref scale);
        for (var t = ChannelTile.Slice; t < end; t += ChannelTile.Slices) Add(a, from + (long)t * a.Channels, mean, scale);
    }

    /// <summary>Puts right what rounding left of the mean (Chan, Golub and LeVeque 1983); divides by the deviation.</summary>
    private static void Finish(in TargetsKernelArgs<T> a, float rest, float squares, ref float mean, ref float scale)
    {
        var variance = squares - rest * rest;
        mean += rest;
        scale /= DeviceMath.Sqrt((variance < 0 ? 0 : variance) + a.Eps);
    }

    private static void Add(in TargetsKernelArgs<T> a, long at, float mean, float scale)
    {
        var value = (a.X[at].Widen() - mean) * scale;
        a.Y[at] = a.First != 0 ? value : a.Y[at] + value;
    }
}
