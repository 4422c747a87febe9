namespace Data2Vec.Kernels;

/// <summary>
/// C[b] = Alpha * op(A[b]) op(B[b]), or += when Accumulate: [M, K] x [K, N] -> [M, N] for every batch index b.
/// Element (i, k) of op(A) lies at i * ARow + k * AColumn, one of which is 1 (a transposed matrix has ARow = 1);
/// the same for B and (k, n); rows of C are CRow apart, its columns 1. K = 0 gives zeros. Products are summed in
/// float32 (double on Reference) in an order fixed by the shape.
/// </summary>
public readonly struct MatMulArgs
{
    /// <summary>Left matrices.</summary>
    public BufferView A { get; init; }

    /// <summary>Right matrices, same type.</summary>
    public BufferView B { get; init; }

    /// <summary>Products.</summary>
    public BufferView C { get; init; }

    /// <summary>Rows of C.</summary>
    public int M { get; init; }

    /// <summary>Columns of C.</summary>
    public int N { get; init; }

    /// <summary>Length of the sums.</summary>
    public int K { get; init; }

    /// <summary>Step between rows of op(A).</summary>
    public long ARow { get; init; }

    /// <summary>Step between columns of op(A).</summary>
    public long AColumn { get; init; }

    /// <summary>Step between rows of op(B).</summary>
    public long BRow { get; init; }

    /// <summary>Step between columns of op(B).</summary>
    public long BColumn { get; init; }

    /// <summary>Step between rows of C.</summary>
    public long CRow { get; init; }

    /// <summary>Batch dimensions; rank 0 = one product.</summary>
    public Shape Batch { get; init; }

    /// <summary>Strides of A along them; 0 repeats.</summary>
    public Strides ABatch { get; init; }

    /// <summary>Strides of B along them; 0 repeats.</summary>
    public Strides BBatch { get; init; }

    /// <summary>Strides of C along them.</summary>
    public Strides CBatch { get; init; }

    /// <summary>Factor.</summary>
    public double Alpha { get; init; }

    /// <summary>Add to C.</summary>
    public bool Accumulate { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("MatMul", A);
        Kernels.Check.That("MatMul", B.DType == type && C.DType == type,
            $"operands must have one type; got {A.DType.Name()}, {B.DType.Name()}, {C.DType.Name()}.");
        Kernels.Check.That("MatMul",
            (ARow == 1 || AColumn == 1 || M <= 1 || K <= 1)
            && (BRow == 1 || BColumn == 1 || K <= 1 || N <= 1),
            "A and B must be contiguous along rows or columns.");
        Kernels.Check.That("MatMul", Batch.Rank <= Shape.MaxRank - 2, $"at most {Shape.MaxRank - 2} batch dimensions.");
        Kernels.Check.Reaches("MatMul", A, Batch.Append(M, K), Extend(ABatch, ARow, AColumn));
        Kernels.Check.Reaches("MatMul", B, Batch.Append(K, N), Extend(BBatch, BRow, BColumn));
        Kernels.Check.Reaches("MatMul", C, Batch.Append(M, N), Extend(CBatch, CRow, 1));
    }

    private Strides Extend(Strides batch, long row, long column)
    {
        batch[Batch.Rank] = row;
        batch[Batch.Rank + 1] = column;
        return batch;
    }
}
