using System.Runtime.Intrinsics.X86;
using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

/// <summary>The SIMD backend for the host's processor; see <see cref="Create"/>.</summary>
public static class CpuBackend
{
    /// <summary>
    /// A backend for the widest vectors that the processor and the runtime offer: AVX-512, AVX2 with FMA, or the portable
    /// 128-bit vectors (NEON on Arm). Computes in float32; results do not depend on the number of threads.
    /// </summary>
    /// <param name="threads">Threads to use; 0 = all cores.</param>
    public static IBackend Create(int threads = 0)
    {
        if (threads < 0) throw new ArgumentOutOfRangeException(nameof(threads), $"Threads must not be negative; got {threads}.");
        if (threads == 0) threads = Environment.ProcessorCount;
        if (Avx512F.IsSupported) return new WideningBackend(new CpuBackend<Lanes512>(threads));
        if (Avx2.IsSupported && Fma.IsSupported) return new WideningBackend(new CpuBackend<Lanes256>(threads));
        return new WideningBackend(new CpuBackend<Lanes128>(threads));
    }
}

/// <summary>All operations over one vector width; each operation's file adds its part.</summary>
internal sealed unsafe partial class CpuBackend<T> : IBackend
    where T : struct, ILanes<T>
{
    private readonly HostPool memory = new(poison: false);
    private readonly WorkerPool pool;
    private readonly NativeScratch shared = new();
    private readonly NativeScratch[] scratch;

    public CpuBackend(int threads)
    {
        pool = new WorkerPool(threads);
        scratch = new NativeScratch[pool.Threads];
        for (var i = 0; i < scratch.Length; i++) scratch[i] = new NativeScratch();
    }

    public string Description => $"cpu ({T.Name}, {pool.Threads} {(pool.Threads == 1 ? "thread" : "threads")})";

    public MemoryStatistics Memory => memory.Statistics;

    public bool Queues => false;

    public long Synchronizations { get; private set; }

    public bool Supports(DType type) => type != DType.Float64;

    public bool Computes(DType type) => type == DType.Float32;

    public DeviceBuffer Allocate(long bytes) => memory.Allocate(bytes);

    public void Free(DeviceBuffer buffer) => memory.Free((HostBuffer)buffer);

    public void Upload(ReadOnlySpan<byte> source, BufferView target) => HostTransfer.Upload(source, target);

    public void Download(BufferView source, Span<byte> target)
    {
        Synchronizations++;
        HostTransfer.Download(source, target);
    }

    public void Synchronize() => Synchronizations++;

    public void Dispose()
    {
        pool.Dispose();
        memory.Dispose();
        shared.Dispose();
        foreach (var s in scratch) s.Dispose();
    }

    /// <summary>Work on a range of elements or rows.</summary>
    private interface IRange
    {
        void Run(long start, long end, int worker);
    }

    /// <summary>First element of a float32 operand; other types are named in the refusal.</summary>
    private static float* F(BufferView view) => view.IsNone || view.DType == DType.Float32
        ? HostTransfer.Address<float>(view)
        : throw new NotSupportedException($"The cpu backend computes in float32; got a {view.DType.Name()} operand.");

    /// <summary>Cuts [0, count) into ranges of a length given by the shape and runs them on the workers.</summary>
    private void ForRanges<TRange>(ref TRange body, long count, long grain)
        where TRange : struct, IRange
    {
        if (count <= 0) return;
        grain = Math.Max(1, grain);
        if (count <= grain)
        {
            body.Run(0, count, 0);
            return;
        }
        var job = new RangeJob<TRange> { Body = body, Count = count, Grain = grain };
        pool.Run(ref job, checked((int)((count + grain - 1) / grain)));
    }

    /// <summary>Rows of so many elements that a chunk has about this many elements.</summary>
    private static long RowsPerChunk(long columns, long elements = 16 * 1024) =>
        Math.Max(1, elements / Math.Max(1, columns));

    private struct RangeJob<TRange> : IJob
        where TRange : struct, IRange
    {
        public TRange Body;
        public long Count, Grain;

        public void Execute(int chunk, int worker) =>
            Body.Run(chunk * Grain, Math.Min(Count, (chunk + 1) * Grain), worker);
    }
}
