using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// The second stage of a product whose inner extent was cut: sums of the parts, and what becomes of them.
/// </summary>
internal struct ProductSumArgs<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>[Parts, batch, M, N].</summary>
    public ArrayView<float> Partial;

    public int Parts;

    /// <summary>Elements of a part.</summary>
    public int Count;

    /// <summary>Elements of a matrix, and its columns.</summary>
    public Divisor Matrix, Columns;

    /// <summary>Offsets in left, right and C.</summary>
    public DeviceLayout Batch;

    public ProductEnd<T> End;
}

internal static class ProductSumKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<ProductSumArgs<T>> Sum = new($"product_sum {KernelNames.Of<T>()}", Add);

    /// <summary>Adds the parts in order, an element for each thread.</summary>
    private static void Add(ProductSumArgs<T> a)
    {
        for (var i = GridLoop.Start; i < a.Count; i += GridLoop.Step)
        {
            var sum = 0f;
            var at = i;
            for (var part = 0; part < a.Parts; part++, at += a.Count) sum += a.Partial[at];
            var batch = a.Matrix.Divide((int)i, out var within);
            var row = a.Columns.Divide(within, out var column);
            a.Batch.Offsets(batch, out _, out _, out var fromC);
            a.End.Write(fromC, row, column, sum);
        }
    }
}
