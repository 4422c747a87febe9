using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void GradientNorm(in GradientNormArgs a)
    {
        RefuseUnlessFloat32("GradientNorm", a.Gradients);
        var chunks = ChunksOf(a.Gradients, CudaOptimizer.NormChunk);
        var partial = Allocate(chunks * sizeof(double));
        var args = new CudaGradientNormArgs
        {
            Gradients = Address(a.Gradients), Segments = Address(a.Segments), Step = Address(a.Step), Partial = Address(partial),
            SegmentCount = a.SegmentCount, Chunks = (int)chunks, Aligned = Aligned(a.Gradients) ? 1 : 0,
        };
        Launch(CudaOptimizer.Squares, chunks, CudaOptimizer.Threads, args);
        Launch(CudaOptimizer.Finish, 1, 1024, args);
        Free(partial);
    }

    /// <inheritdoc/>
    public void Adam(in AdamArgs a)
    {
        var rates = PrepareAdam(a, out var args);
        Launch(CudaOptimizer.Adam, ChunksOf(a.Parameters, CudaOptimizer.UpdateChunk), CudaOptimizer.Threads, args);
        Free(rates);
    }

    /// <inheritdoc/>
    public void Ema(in EmaArgs a)
    {
        RefuseUnlessFloat32("Ema", a.Student);
        Launch(CudaOptimizer.Ema, ChunksOf(a.Student, CudaOptimizer.UpdateChunk), CudaOptimizer.Threads, new CudaFlatUpdateArgs
        {
            P = Address(a.Student), Teacher = Address(a.Teacher), RoundedTeacher = Address(a.Rounded),
            Segments = Address(a.Segments), Step = Address(a.Step), SegmentCount = a.SegmentCount,
            Aligned = Aligned(a.Student, a.Teacher, a.Rounded) ? 1 : 0,
        });
    }

    /// <inheritdoc/>
    public void AdamWithEma(in AdamWithEmaArgs a)
    {
        var rates = PrepareAdam(a.Adam, out var args);
        args.Teacher = Address(a.Ema.Teacher);
        args.RoundedTeacher = Address(a.Ema.Rounded);
        if (!Aligned(a.Ema.Teacher, a.Ema.Rounded)) args.Aligned = 0;
        Launch(CudaOptimizer.AdamWithEma, ChunksOf(a.Adam.Parameters, CudaOptimizer.UpdateChunk), CudaOptimizer.Threads, args);
        Free(rates);
    }

    /// <summary>Queues what turns the table into rates, and advances its counts; gives the arguments of the update.</summary>
    private DeviceBuffer PrepareAdam(in AdamArgs a, out CudaFlatUpdateArgs args)
    {
        RefuseUnlessFloat32("Adam", a.Parameters);
        var rates = Allocate((long)a.SegmentCount * CudaOptimizer.RateBytes);
        args = new CudaFlatUpdateArgs
        {
            P = Address(a.Parameters), G = Address(a.Gradients), M = Address(a.Moment1), V = Address(a.Moment2),
            Rounded = Address(a.Rounded), Segments = Address(a.Segments), Step = Address(a.Step),
            Rates = Address(rates), SegmentCount = a.SegmentCount, Beta1 = (float)a.Beta1, Beta2 = (float)a.Beta2,
            Rest1 = (float)(1 - a.Beta1), Rest2 = (float)(1 - a.Beta2), Epsilon = (float)a.Epsilon,
            Aligned = Aligned(a.Parameters, a.Gradients, a.Moment1, a.Moment2, a.Rounded) ? 1 : 0,
        };
        Launch(CudaOptimizer.Rates, (a.SegmentCount + 255) / 256, 256, new CudaAdamRateArgs
        {
            Segments = args.Segments, Step = args.Step, Rates = args.Rates, Beta1 = a.Beta1, Beta2 = a.Beta2,
            SegmentCount = a.SegmentCount, Variant = (int)a.Variant,
        });
        return rates;
    }

    /// <summary>
    /// Chunks up to the end of the buffer. The table says where the parameters end, and lies on the device; blocks behind that
    /// find nothing to do.
    /// </summary>
    private static long ChunksOf(BufferView flat, int chunk) => (flat.Available + chunk - 1) / chunk;

    private static void RefuseUnlessFloat32(string op, BufferView view)
    {
        if (view.DType == DType.Float32) return;
        throw new NotSupportedException(
            $"{op}: parameters, gradients and their state are float32 on CUDA devices; got {view.DType.Name()}.");
    }
}

/// <summary>Rates of every segment; kernels/adamw_ema.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaAdamRateArgs
{
    public ulong Segments, Step, Rates;
    public double Beta1, Beta2;
    public int SegmentCount, Variant;
}

/// <summary>
/// Operands as in <see cref="AdamArgs"/> and <see cref="EmaArgs"/>, of which either may be missing; kernels/adamw_ema.cu, field
/// by field.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaFlatUpdateArgs
{
    public ulong P, G, M, V, Teacher, Rounded, RoundedTeacher, Segments, Step, Rates;
    public int SegmentCount, Aligned;
    public float Beta1, Beta2, Rest1, Rest2, Epsilon;
    private readonly float reserved;
}

/// <summary>Operands as in <see cref="GradientNormArgs"/>; kernels/adamw_ema.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaGradientNormArgs
{
    public ulong Gradients, Segments, Step, Partial;
    public int SegmentCount, Chunks, Aligned;
    private readonly int reserved;
}

/// <summary>The kernels of kernels/adamw_ema.cu; all buffers are float32, but for the rounded copies.</summary>
internal static class CudaOptimizer
{
    /// <summary>Elements of a block, and its threads; as in the source.</summary>
    public const int UpdateChunk = 4096, NormChunk = 16384, Threads = 256;

    /// <summary>Four float32 numbers a segment.</summary>
    public const int RateBytes = 16;

    private static readonly CudaSource Source = new("adamw_ema.cu", "float32", "-DELEMENT_BF16=0");

    public static readonly CudaKernel<CudaAdamRateArgs> Rates = new(Source, "adam_rates");

    public static readonly CudaKernel<CudaFlatUpdateArgs> Adam = new(Source, "adam_update");

    public static readonly CudaKernel<CudaFlatUpdateArgs> Ema = new(Source, "ema_update");

    public static readonly CudaKernel<CudaFlatUpdateArgs> AdamWithEma = new(Source, "adam_ema_update");

    public static readonly CudaKernel<CudaGradientNormArgs> Squares = new(Source, "gradient_norm_squares");

    public static readonly CudaKernel<CudaGradientNormArgs> Finish = new(Source, "gradient_norm_finish");

    public static IEnumerable<CudaKernel> All => [Rates, Adam, Ema, AdamWithEma, Squares, Finish];
}
