using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void MaskRows(in MaskRowsArgs a) => Replace(a.X, a.Mask, a.Vector, a.Y, a.Count, a.Columns);

    /// <inheritdoc/>
    public void MaskRowsBackward(in MaskRowsBackwardArgs a)
    {
        // The sum first: dx may be dy.
        if (!a.DVector.IsNone)
        {
            if (a.DY.DType == DType.BFloat16) Sum<Brain>(a);
            else if (a.DY.DType == DType.Float32) Sum<Full>(a);
            else throw NoSuchType("MaskRowsBackward", a.DY.DType);
        }
        if (!a.DX.IsNone) Replace(a.DY, a.Mask, default, a.DX, a.Count, a.Columns);

        void Sum<T>(in MaskRowsBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            var (chunks, length) = (RowChunks.Count(a.Count), RowChunks.RowsOf(a.Count));
            var scratch = pool.Allocate(Math.Max(1, (long)chunks * a.Columns) * sizeof(float));
            var partial = View<float>(new BufferView(scratch, 0, DType.Float32));
            var threads = GroupSize(a.Columns);
            Launch(MaskedSumKernels<T>.Backward, new((a.Columns + threads - 1) / threads, chunks, 1), threads,
                new MaskedSumKernelArgs<T>
                {
                    DY = View<T>(a.DY), Mask = View<byte>(a.Mask), Partial = partial, Rows = a.Count, ChunkRows = length,
                    Columns = a.Columns,
                });
            AddPartials<T>(partial, chunks, a.Columns, a.Columns, a.DVector, a.Accumulate);
            pool.Free(scratch);
        }
    }

    private void Replace(BufferView x, BufferView mask, BufferView vector, BufferView y, long count, int columns)
    {
        var size = x.DType.Size();
        var unit = UnitOf((long)columns * size, x.Offset * size, vector.Offset * size, y.Offset * size);
        var width = (int)((long)columns * size / unit);
        switch (unit)
        {
            case 16: Run<Four<uint>>(); break;
            case 8: Run<ulong>(); break;
            case 4: Run<uint>(); break;
            default: Run<ushort>(); break;
        }

        void Run<T>()
            where T : unmanaged => LaunchElements(MaskRowsKernels<T>.Forward, count * width, new MaskRowsKernelArgs<T>
            {
                X = View<T>(x), Y = View<T>(y), Vector = View<T>(vector), Mask = View<byte>(mask), Count = count * width,
                Width = width, HasVector = vector.IsNone ? 0 : 1,
            });
    }
}

/// <summary>Operands as in <see cref="MaskRowsArgs"/>; a row has Width elements, each perhaps several of the caller's.</summary>
internal struct MaskRowsKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> X, Y, Vector;
    public ArrayView<byte> Mask;
    public long Count;
    public int Width, HasVector;
}

/// <summary>Partial is [chunks of ChunkRows rows, Columns].</summary>
internal struct MaskedSumKernelArgs<T>
    where T : unmanaged
{
    public ArrayView<T> DY;
    public ArrayView<byte> Mask;
    public ArrayView<float> Partial;
    public long Rows;
    public int ChunkRows, Columns;
}

internal static class MaskRowsKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        MaskRowsKernels<ushort>.Forward, MaskRowsKernels<uint>.Forward, MaskRowsKernels<ulong>.Forward,
        MaskRowsKernels<Four<uint>>.Forward, MaskedSumKernels<Full>.Backward, MaskedSumKernels<Brain>.Backward,
    ];
}

/// <summary>Rows of x, or the vector where the mask holds; elements are bytes without a meaning.</summary>
internal static class MaskRowsKernels<T>
    where T : unmanaged
{
    public static readonly KernelSource<MaskRowsKernelArgs<T>> Forward = new($"mask_rows_fwd {KernelNames.OfSize<T>()}", Choose);

    private static void Choose(MaskRowsKernelArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            GridLoop.Split(i, a.Width, out var row, out var column);
            var value = default(T);
            if (a.Mask[row] == 0) value = a.X[i];
            else if (a.HasVector != 0) value = a.Vector[column];
            a.Y[i] = value;
        }
    }
}

/// <summary>First stage of the vector's gradient: a thread adds up one column of the masked rows of a chunk.</summary>
internal static class MaskedSumKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<MaskedSumKernelArgs<T>> Backward = new($"mask_rows_bwd {KernelNames.Of<T>()}", Sum);

    private static void Sum(MaskedSumKernelArgs<T> a)
    {
        var column = (int)GridLoop.Start;
        if (column >= a.Columns) return;
        var row = (long)Grid.IdxY * a.ChunkRows;
        var end = row + a.ChunkRows;
        if (end > a.Rows) end = a.Rows;
        var sum = 0f;
        for (; row < end; row++)
            if (a.Mask[row] != 0) sum += a.DY[row * a.Columns + column].Widen();
        a.Partial[(long)Grid.IdxY * a.Columns + column] = sum;
    }
}
