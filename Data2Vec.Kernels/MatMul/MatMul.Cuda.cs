using Data2Vec.Kernels.Cuda;
using Data2Vec.Kernels.Ilgpu;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <summary>
    /// Products of float32 matrices by tensor cores, which round the operands to 10 digits: several times as fast, and
    /// beyond the tolerance of float32. Off from the beginning.
    /// </summary>
    public bool TensorFloat32 { get; set; }

    /// <summary>How products are cut; tests try plans that their small shapes would not get.</summary>
    internal ProductPlanner Plan { get; set; } = ProductPlan.For;

    /// <inheritdoc/>
    public void MatMul(in MatMulArgs a)
    {
        var type = ElementOf("MatMul", a.A);
        var batch = CudaProductBatch.Of(a.Batch, a.ABatch, a.BBatch, a.CBatch);
        var end = MatrixEnd(a.C, a.M, a.CRow, a.Accumulate, (float)a.Alpha);
        end.Wide = InUnits(a.C, a.CRow, a.M) && InUnits(type, a.Batch, a.CBatch) ? 1 : 0;
        MultiplyMatrices(type, new CudaProductArgs<CudaMatrix, CudaMatrix>
        {
            Left = new() { Data = Address(a.A), LineStep = a.ARow, InnerStep = a.AColumn },
            Right = new() { Data = Address(a.B), LineStep = a.BColumn, InnerStep = a.BRow },
            End = end, Batch = batch, M = a.M, N = a.N, K = a.K,
        }, InUnits(type, a.Batch, a.ABatch), InUnits(type, a.Batch, a.BBatch));
    }

    /// <summary>
    /// Sums to a matrix whose rows are a step apart; its <see cref="CudaProductEnd.Wide"/> is left to the caller.
    /// </summary>
    internal static CudaProductEnd MatrixEnd(
        BufferView c, int rows, long rowStep, bool accumulate, float alpha = 1) => new()
    {
        C = Address(c), SampleRows = new Divisor(Math.Max(rows, 1)), RowStep = rowStep, Alpha = alpha,
        Accumulate = accumulate ? 1 : 0,
    };

    /// <summary>
    /// Queues a product of two matrices: takes the kernel for how they lie, or the one for all that lies odd.
    /// </summary>
    /// <param name="type">Of all operands.</param>
    /// <param name="a">Operands, extents, batch and end.</param>
    /// <param name="leftUnits">Left matrices of a batch are whole units of 16 bytes apart.</param>
    /// <param name="rightUnits">The same for right ones.</param>
    private void MultiplyMatrices(
        DType type, CudaProductArgs<CudaMatrix, CudaMatrix> a, bool leftUnits = true, bool rightUnits = true)
    {
        if (library is not null && ColumnProduct.Of(type, a) is { } product
            && library.TryMultiply(product, TensorFloat32)) return;
        var (left, right) = (LayoutOf(a.Left, a.M, a.K, type), LayoutOf(a.Right, a.N, a.K, type));
        var isEven = leftUnits && rightUnits && left >= 0 && right >= 0;
        var kernels = TensorFloat32 && type == DType.Float32 ? CudaProducts.TensorMatrices : CudaProducts.Matrices;
        if (isEven) Multiply(type, kernels[left * 2 + right], ref a);
        else Multiply(type, CudaProducts.AnyMatrices, ref a);
    }

    /// <summary>
    /// Queues a product whose sums are multiplied by the slopes of the end's activation at the end's sums.
    /// </summary>
    private void MultiplyBySlopes(DType type, CudaProductArgs<CudaMatrix, CudaMatrix> a)
    {
        var isEven = LayoutOf(a.Left, a.M, a.K, type) == 0 && LayoutOf(a.Right, a.N, a.K, type) == 1;
        var even = TensorFloat32 && type == DType.Float32 ? CudaProducts.TensorSlopes : CudaProducts.Slopes;
        Multiply(type, isEven ? even : CudaProducts.AnySlopes, ref a, CudaProducts.SlopeParts);
    }

    /// <summary>
    /// 0 = lines are contiguous along the inner extent, 1 = inner indices are contiguous along the lines, each at
    /// multiples of 16 bytes; -1 = neither.
    /// </summary>
    private static int LayoutOf(in CudaMatrix m, int lines, int inners, DType type)
    {
        var unit = 16 / type.Size();
        if (m.Data % 16 != 0) return -1;
        if ((m.InnerStep == 1 || inners <= 1) && (m.LineStep % unit == 0 || lines <= 1)) return 0;
        if ((m.LineStep == 1 || lines <= 1) && (m.InnerStep % unit == 0 || inners <= 1)) return 1;
        return -1;
    }

    /// <summary>Queues a product whose operands, extents, batch and end are set.</summary>
    private void Multiply<TLeft, TRight>(
        DType type, CudaProductKernels<TLeft, TRight> kernels, ref CudaProductArgs<TLeft, TRight> a,
        TypedKernel<CudaProductSumArgs>? sum = null)
        where TLeft : unmanaged
        where TRight : unmanaged
    {
        if (a.M == 0 || a.N == 0 || a.Batch.Count == 0) return;
        var plan = Plan(a.M, a.N, a.K, a.Batch.Count, type, kernels.HasLarge);
        a.RowTiles = (a.M + plan.Size - 1) / plan.Size;
        a.ColumnTiles = (a.N + plan.Size - 1) / plan.Size;
        (a.Parts, a.PartLength) = (plan.Parts, plan.PartLength);
        a.PartialColumns = (a.N + 7) / 8 * 8;
        var blocks = checked(a.RowTiles * a.ColumnTiles * a.Batch.Count * a.Parts);
        var kernel = kernels.For(type, plan.IsLarge);
        var threads = kernels.Threads(type, plan.Size);
        if (a.Parts == 1)
        {
            Launch(kernel, blocks, threads, a, plan.SharedBytes);
            return;
        }
        var rows = checked(a.Batch.Count * a.M);
        var memory = Allocate((long)a.Parts * rows * a.PartialColumns * sizeof(float));
        a.Partial = Address(memory);
        Launch(kernel, blocks, threads, a, plan.SharedBytes);
        var runs = checked(rows * (a.PartialColumns / 8));
        Launch((sum ?? CudaProducts.Parts)[type], (runs + 255) / 256, 256, new CudaProductSumArgs
        {
            Partial = a.Partial, End = a.End, Batch = a.Batch, Runs = runs, Parts = a.Parts, N = a.N,
            RowRuns = new Divisor(a.PartialColumns / 8), MatrixRows = new Divisor(a.M),
        });
        Free(memory);
    }

    /// <summary>An operand begins at a multiple of 16 bytes, and so do its rows.</summary>
    private static bool InUnits(BufferView view, long row, int rows) =>
        Address(view) % 16 == 0 && (row * view.DType.Size() % 16 == 0 || rows <= 1);

    /// <summary>Matrices of a batch are whole units of 16 bytes apart.</summary>
    private static bool InUnits(DType type, Shape batch, in Strides strides)
    {
        for (var d = 0; d < batch.Rank; d++)
            if (batch[d] > 1 && strides[d] * type.Size() % 16 != 0) return false;
        return true;
    }
}
