using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>
/// The oracle: every operation in double precision, in loops that read like the formula. Operands of any type are
/// widened, the result is rounded once when it is stored. It allocates and is slow on purpose; the other backends are
/// proven against it.
/// </summary>
public sealed unsafe partial class ReferenceBackend : IBackend
{
    private readonly HostPool pool = new(poison: true);

    /// <inheritdoc/>
    public string Description => "reference (double precision, one thread)";

    /// <inheritdoc/>
    public MemoryStatistics Memory => pool.Statistics;

    /// <inheritdoc/>
    public bool Queues => false;

    /// <inheritdoc/>
    public long Synchronizations { get; private set; }

    /// <inheritdoc/>
    public bool Supports(DType type) => true;

    /// <inheritdoc/>
    public bool Computes(DType type) => type.IsFloat();

    /// <inheritdoc/>
    public DeviceBuffer Allocate(long bytes) => pool.Allocate(bytes);

    /// <inheritdoc/>
    public void Free(DeviceBuffer buffer) => pool.Free((HostBuffer)buffer);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<byte> source, BufferView target) => HostTransfer.Upload(source, target);

    /// <inheritdoc/>
    public void Download(BufferView source, Span<byte> target)
    {
        Synchronizations++;
        HostTransfer.Download(source, target);
    }

    /// <inheritdoc/>
    public void Synchronize() => Synchronizations++;

    /// <inheritdoc/>
    public void Dispose() => pool.Dispose();

    /// <summary>One element, widened.</summary>
    private static double Get(BufferView view, long index)
    {
        var p = HostTransfer.Address(view);
        return view.DType switch
        {
            DType.Float32 => ((float*)p)[index],
            DType.Float64 => ((double*)p)[index],
            DType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)p)[index] << 16),
            DType.Int32 => ((int*)p)[index],
            DType.Int64 => ((long*)p)[index],
            _ => p[index],
        };
    }

    /// <summary>Stores one element, rounded once to the type.</summary>
    private static void Set(BufferView view, long index, double value)
    {
        var p = HostTransfer.Address(view);
        switch (view.DType)
        {
            case DType.Float32: ((float*)p)[index] = (float)value; break;
            case DType.Float64: ((double*)p)[index] = value; break;
            case DType.BFloat16: ((ushort*)p)[index] = RoundToBFloat16(value); break;
            case DType.Int32: ((int*)p)[index] = (int)value; break;
            case DType.Int64: ((long*)p)[index] = (long)value; break;
            case DType.Bool: p[index] = value != 0 ? (byte)1 : (byte)0; break;
            default: p[index] = (byte)value; break;
        }
    }

    /// <summary>An integer element: exact also where a double would not be.</summary>
    private static long GetIndex(BufferView view, long index) => view.DType == DType.Int32
        ? HostTransfer.Address<int>(view)[index]
        : HostTransfer.Address<long>(view)[index];

    /// <summary>Contiguous elements, widened; null for an absent operand.</summary>
    private static double[]? ReadIfGiven(BufferView view, long count) => view.IsNone ? null : Read(view, count);

    private static double[] Read(BufferView view, long count)
    {
        var values = new double[count];
        for (long i = 0; i < count; i++) values[i] = Get(view, i);
        return values;
    }

    /// <summary>The elements that a strided layout visits, in row-major order of the shape.</summary>
    private static double[] Read(BufferView view, Shape shape, in Strides strides)
    {
        var values = new double[shape.Count];
        var walk = new StridedWalk(shape);
        for (long i = 0; i < values.Length; i++, walk.Next()) values[i] = Get(view, walk.Offset(strides));
        return values;
    }

    /// <summary>Stores contiguous elements; an absent operand is skipped.</summary>
    private static void Write(BufferView view, double[] values, bool accumulate = false)
    {
        if (view.IsNone) return;
        for (long i = 0; i < values.Length; i++) Set(view, i, accumulate ? Get(view, i) + values[i] : values[i]);
    }

    /// <summary>Through double to bfloat16 with one rounding: odd-rounding to float32 first keeps ties exact.</summary>
    private static ushort RoundToBFloat16(double value)
    {
        if (double.IsNaN(value)) return 0x7FC0;
        var single = (float)value;
        var bits = BitConverter.SingleToUInt32Bits(single);
        if (!float.IsInfinity(single) && single != value)
        {
            // The float32 rounding was inexact: make the last bit sticky, so that the second rounding sees no false tie.
            if (Math.Abs((double)single) > Math.Abs(value)) bits--;
            bits |= 1;
        }
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}

/// <summary>Walks the positions of a shape in row-major order and gives the offset of each under any strides.</summary>
internal struct StridedWalk(Shape shape)
{
    private readonly Shape shape = shape;
    private Position position;

    public void Next()
    {
        for (var i = shape.Rank - 1; i >= 0; i--)
        {
            if (++position[i] < shape[i]) return;
            position[i] = 0;
        }
    }

    public readonly long Offset(in Strides strides)
    {
        long offset = 0;
        for (var i = 0; i < shape.Rank; i++) offset += position[i] * strides[i];
        return offset;
    }

    [InlineArray(Shape.MaxRank)]
    private struct Position
    {
        private int first;
    }
}
