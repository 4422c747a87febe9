using Data2Vec.Kernels;
using Data2Vec.Kernels.Cuda;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>A product in column-major terms reads and writes the very numbers that it does in ours.</summary>
public sealed class ColumnProductTests
{
    private static readonly int[] Extents = [1, 2, 5];

    private static readonly int[][] Batches = [[], [3], [2, 3], [1, 3, 1, 2], [2, 3, 2]];

    [Test]
    public void Every_layout_extent_and_batch_touches_the_same_numbers(
        [Values] bool leftTurned, [Values] bool rightTurned, [Values(0, 3)] int gap)
    {
        foreach (var m in Extents)
            foreach (var n in Extents)
                foreach (var k in Extents)
                    foreach (var batch in Batches)
                        foreach (var shared in new[] { false, true })
                            Compare(m, n, k, batch, shared, leftTurned, rightTurned, gap);
    }

    [Test]
    public void What_cannot_be_said_is_refused()
    {
        var plain = Args(2, 3, 4, CudaProductBatch.Of(1), false, false, 0);
        Assert.That(ColumnProduct.Of(DType.Float32, plain), Is.Not.Null);
        Refuse("an activation", plain, (ref p) => p.End.Activation = Activation.Gelu);
        Refuse("kept sums", plain, (ref p) => p.End.Sums = 1);
        Refuse("nothing to sum", plain, (ref p) => p.K = 0);
        Refuse("no rows", plain, (ref p) => p.M = 0);
        Refuse("no products", plain, (ref p) => p.Batch.Count = 0);
        Refuse("rows of the result overlap", plain, (ref p) => p.End.RowStep = 2);
        Refuse("lines of the left operand overlap", plain, (ref p) => p.Left.LineStep = 1);
        Refuse("one row again and again", plain, (ref p) => p.Right.LineStep = 0);
        Refuse("neither contiguous", plain, (ref p) => p.Left.InnerStep = 2);
        var uneven = CudaProductBatch.Of(new Shape(2, 3), Steps(100, 20), Steps(60, 20), Steps(60, 20));
        Refuse("matrices not one step apart", plain, (ref p) => p.Batch = uneven);
        Refuse("results on one another", plain, (ref p) => p.Batch = CudaProductBatch.Of(2, 8, 12, 0));
        var repeated = plain with { Batch = CudaProductBatch.Of(2, 0, 0, 6) };
        Assert.That(ColumnProduct.Of(DType.Float32, repeated), Is.Not.Null, "operands may repeat");
    }

    private delegate void Change(ref CudaProductArgs<CudaMatrix, CudaMatrix> product);

    private static void Refuse(string what, CudaProductArgs<CudaMatrix, CudaMatrix> product, Change change)
    {
        change(ref product);
        Assert.That(ColumnProduct.Of(DType.Float32, product), Is.Null, what);
    }

    /// <summary>Sets of "which number times which goes where", by our definition and by the library's.</summary>
    private static void Compare(
        int m, int n, int k, int[] batch, bool shared, bool leftTurned, bool rightTurned, int gap)
    {
        long leftSize = (leftTurned ? k : m) * ((leftTurned ? m : k) + gap) + gap;
        long rightSize = (rightTurned ? n : k) * ((rightTurned ? k : n) + gap) + gap;
        long resultSize = m * (n + gap) + gap;
        var shape = new Shape(batch);
        var (left, right) = (Packed(shape, leftSize), Packed(shape, shared ? 0 : rightSize));
        var result = Packed(shape, resultSize);
        var a = Args(m, n, k, CudaProductBatch.Of(shape, left, right, result), leftTurned, rightTurned, gap);
        var ours = new HashSet<(long, long, long)>();
        foreach (var at in Indices(shape))
        {
            long Start(Strides strides) => Enumerable.Range(0, shape.Rank).Sum(d => at[d] * strides[d]);
            for (var i = 0; i < m; i++)
                for (var j = 0; j < n; j++)
                    for (var s = 0; s < k; s++)
                        ours.Add((Start(left) + i * a.Left.LineStep + s * a.Left.InnerStep,
                            Start(right) + j * a.Right.LineStep + s * a.Right.InnerStep,
                            Start(result) + i * a.End.RowStep + j));
        }
        var what = $"{m} {n} {k} [{string.Join(' ', batch)}] {shared} {leftTurned} {rightTurned} {gap}";
        var product = ColumnProduct.Of(DType.Float32, a);
        Assert.That(product, Is.Not.Null, what);
        var p = product!.Value;
        foreach (var matrix in new[] { p.First, p.Second, p.Result })
            Assert.That(matrix.Leading, Is.GreaterThanOrEqualTo(matrix.Rows), what);
        Assert.That((Rows(p.First), Columns(p.First), Rows(p.Second), Columns(p.Second)),
            Is.EqualTo((n, k, k, m)), what);
        Assert.That((p.Result.Rows, p.Result.Columns), Is.EqualTo((n, m)), what);
        var theirs = new HashSet<(long, long, long)>();
        for (var b = 0; b < p.Count; b++)
            for (var row = 0; row < p.Result.Rows; row++)
                for (var column = 0; column < p.Result.Columns; column++)
                    for (var s = 0; s < p.Inner; s++)
                        theirs.Add((At(p.Second, b, s, column), At(p.First, b, row, s), At(p.Result, b, row, column)));
        Assert.That(theirs.SetEquals(ours), what);
    }

    private static int Rows(ColumnMatrix m) => m.IsTransposed ? m.Columns : m.Rows;

    private static int Columns(ColumnMatrix m) => m.IsTransposed ? m.Rows : m.Columns;

    /// <summary>Where cuBLASLt finds element (row, column) of the operand, after it is transposed.</summary>
    private static long At(ColumnMatrix m, int n, int row, int column) =>
        n * m.Step + (m.IsTransposed ? column + row * m.Leading : row + column * m.Leading);

    private static CudaProductArgs<CudaMatrix, CudaMatrix> Args(
        int m, int n, int k, CudaProductBatch batch, bool leftTurned, bool rightTurned, int gap) => new()
    {
        Left = leftTurned ? new() { LineStep = 1, InnerStep = m + gap } : new() { LineStep = k + gap, InnerStep = 1 },
        Right = rightTurned ? new() { LineStep = k + gap, InnerStep = 1 } : new() { LineStep = 1, InnerStep = n + gap },
        End = new() { RowStep = n + gap, Alpha = 1 }, Batch = batch, M = m, N = n, K = k,
    };

    private static Strides Packed(Shape shape, long step)
    {
        var strides = new Strides();
        for (var d = shape.Rank - 1; d >= 0; step *= shape[d], d--) strides[d] = step;
        return strides;
    }

    private static Strides Steps(params long[] steps)
    {
        var strides = new Strides();
        for (var d = 0; d < steps.Length; d++) strides[d] = steps[d];
        return strides;
    }

    private static IEnumerable<int[]> Indices(Shape shape)
    {
        var at = new int[shape.Rank];
        for (var n = 0L; n < shape.Count; n++)
        {
            var rest = n;
            for (var d = shape.Rank - 1; d >= 0; rest /= shape[d], d--) at[d] = (int)(rest % shape[d]);
            yield return at;
        }
    }
}
