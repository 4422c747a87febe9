using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>
/// What becomes of the sums of a product: c = activation(alpha * sum + bias), or c += for an accumulating product.
/// Row r of C lies at (r / rows of a sample) * SampleStep + (r mod rows of a sample) * RowStep.
/// </summary>
internal struct ProductEnd<T>
    where T : unmanaged, IElement<T>
{
    public ArrayView<T> C;

    /// <summary>Takes the sums before the activation, laid out as C; or empty.</summary>
    public ArrayView<T> Sums;

    /// <summary>Empty, or such that the bias of column n of a matrix at offset o of C is element o + n.</summary>
    public ArrayView<T> Bias;

    public Divisor SampleRows;
    public long SampleStep, RowStep;
    public float Alpha;
    public Activation Activation;

    /// <summary>
    /// Whether there is a bias; whether the sums are kept; whether to add to C. A bool is no type of a kernel
    /// argument.
    /// </summary>
    public int HasBias, KeepsSums, Accumulates;

    /// <summary>Finishes element (row, column) of the matrix at the offset.</summary>
    public readonly void Write(long from, int row, int column, float sum)
    {
        var sample = SampleRows.Divide(row, out var within);
        var at = from + sample * SampleStep + within * RowStep + column;
        sum *= Alpha;
        if (HasBias != 0) sum += Bias[from + column].Widen();
        if (KeepsSums != 0) Sums[at] = default(T).Narrow(sum);
        if (Activation == Activation.Gelu) sum = DeviceMath.Gelu(sum);
        else if (Activation == Activation.GeluTanh) sum = DeviceMath.GeluTanh(sum);
        if (Accumulates != 0) sum += C[at].Widen();
        C[at] = default(T).Narrow(sum);
    }
}
