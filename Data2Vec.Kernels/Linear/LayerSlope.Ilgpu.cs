using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    private const int MostBiasParts = 128;
    private const int BiasRowsPerPart = 32;

    /// <summary>
    /// First half of the gradients of a layer with bias and activation: g = dy * activation'(sums), written to the
    /// room when there is an activation, and the column sums of g while it passes. Gives where g is.
    /// </summary>
    private BufferView Slopes<T>(
        BufferView dy, BufferView sums, BufferView room, BufferView dBias, Activation activation, int rows, int columns,
        bool accumulate)
        where T : unmanaged, IElement<T>
    {
        var isActive = activation != Activation.None;
        if (!isActive && dBias.IsNone) return dy;
        var parts = Math.Clamp(rows / BiasRowsPerPart, 1, MostBiasParts);
        var a = new LayerSlopeArgs<T>
        {
            DY = View<T>(dy), Sums = View<T>(sums), G = View<T>(room), Activation = activation, Rows = rows,
            Columns = columns, PartRows = (rows + parts - 1) / parts, HasBias = dBias.IsNone ? 0 : 1,
        };
        var memory = dBias.IsNone ? null : pool.Allocate((long)parts * columns * sizeof(float));
        if (memory is not null) a.Partial = View<float>(new BufferView(memory, 0, DType.Float32));
        var blocks = (columns + LayerSlopeKernels<T>.Width - 1) / LayerSlopeKernels<T>.Width;
        Launch(LayerSlopeKernels<T>.Slope, new Index3D(blocks, parts, 1), LayerSlopeKernels<T>.Threads, a);
        if (memory is not null)
        {
            AddPartials<T>(a.Partial, parts, columns, columns, dBias, accumulate);
            pool.Free(memory);
        }
        return isActive ? room : dy;
    }
}

/// <summary>dy, sums and g are [Rows, Columns].</summary>
internal struct LayerSlopeArgs<T>
    where T : unmanaged
{
    public ArrayView<T> DY, Sums, G;
    public Activation Activation;
    public int Rows, Columns;

    /// <summary>Rows of a part.</summary>
    public int PartRows;

    /// <summary>Takes the column sums of the parts [parts, Columns].</summary>
    public ArrayView<float> Partial;

    /// <summary>Whether column sums are wanted.</summary>
    public int HasBias;
}

internal static class LayerSlopeKernels
{
    public static IEnumerable<KernelSource> All => [LayerSlopeKernels<Full>.Slope, LayerSlopeKernels<Brain>.Slope];
}

/// <summary>
/// Slopes and the gradient of the bias: a group takes 64 columns of a part of the rows, four rows at a time; parts
/// are added in order by a second kernel.
/// </summary>
internal static class LayerSlopeKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>Columns of a group.</summary>
    public const int Width = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    public static readonly KernelSource<LayerSlopeArgs<T>> Slope = new($"layer_slope {KernelNames.Of<T>()}", Apply);

    private static void Apply(LayerSlopeArgs<T> a)
    {
        var sums = SharedMemory.Allocate<float>(Threads);
        var column = Grid.IdxX * Width + (Group.IdxX & (Width - 1));
        var sum = 0f;
        var end = a.Rows - Grid.IdxY * a.PartRows < a.PartRows ? a.Rows : (Grid.IdxY + 1) * a.PartRows;
        if (column < a.Columns)
        {
            for (var row = Grid.IdxY * a.PartRows + Group.IdxX / Width; row < end; row += Threads / Width)
            {
                var at = (long)row * a.Columns + column;
                var slope = a.DY[at].Widen();
                if (a.Activation != Activation.None)
                {
                    var x = a.Sums[at].Widen();
                    slope *= a.Activation == Activation.Gelu ? DeviceMath.GeluSlope(x) : DeviceMath.GeluTanhSlope(x);
                    a.G[at] = default(T).Narrow(slope);
                }
                sum += slope;
            }
        }
        if (a.HasBias == 0) return;
        sums[Group.IdxX] = sum;
        Group.Barrier();
        if (Group.IdxX >= Width || column >= a.Columns) return;
        for (var i = Group.IdxX + Width; i < Threads; i += Width) sum += sums[i];
        a.Partial[(long)Grid.IdxY * a.Columns + column] = sum;
    }
}
