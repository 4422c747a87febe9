using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void MatMul(in MatMulArgs a)
    {
        if (a.A.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.A.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("MatMul", a.A.DType);

        void Run<T>(in MatMulArgs a)
            where T : unmanaged, IElement<T>
        {
            var product = new ProductArgs<T, StridedOperand<T>, StridedOperand<T>>
            {
                Left = new() { Data = View<T>(a.A), LineStride = a.ARow, InnerStride = a.AColumn },
                Right = new() { Data = View<T>(a.B), LineStride = a.BColumn, InnerStride = a.BRow },
                End = MatrixEnd<T>(a.C, a.M, a.CRow, a.Accumulate, (float)a.Alpha),
                Batch = DeviceLayout.Of(a.Batch, a.ABatch, a.BBatch, a.CBatch),
                BatchCount = checked((int)a.Batch.Count), M = a.M, N = a.N, K = a.K,
            };
            Multiply(MatMulKernels<T>.Product, ref product);
        }
    }

    /// <summary>Sums to a matrix whose rows are a step apart.</summary>
    private static ProductEnd<T> MatrixEnd<T>(BufferView c, int rows, long rowStep, bool accumulate, float alpha = 1)
        where T : unmanaged, IElement<T> => new()
        {
            C = View<T>(c), SampleRows = new Divisor(Math.Max(rows, 1)), RowStep = rowStep, Alpha = alpha,
            Accumulates = accumulate ? 1 : 0,
        };
}

internal static class MatMulKernels
{
    public static IEnumerable<KernelSource> All =>
    [
        MatMulKernels<Full>.Product.Large, MatMulKernels<Full>.Product.Small, ProductSumKernels<Full>.Sum,
        MatMulKernels<Brain>.Product.Large, MatMulKernels<Brain>.Product.Small, ProductSumKernels<Brain>.Sum,
    ];
}

internal static class MatMulKernels<T>
    where T : unmanaged, IElement<T>
{
    /// <summary>Of two matrices as they lie, transposed or not.</summary>
    public static readonly ProductPair<T, StridedOperand<T>, StridedOperand<T>> Product = new("product matrices");
}
