using System.Diagnostics;
using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// A driver whose device is a PTX interpreter: runs kernels where there is no GPU, and says what is wrong with them.
/// Calls run at once; what a kernel does wrong is thrown by its launch. See docs/emulator.md.
/// </summary>
/// <param name="mostShared">Bytes of shared memory that a block can ask for; that of sm_80 unless a smaller device is meant.</param>
internal sealed unsafe class EmulatedDriver(int mostShared = EmulatedDriver.LargeShared) : ICudaDriver
{
    /// <summary>Shared memory that a block can have on sm_80, and on sm_86, sm_89 and sm_120.</summary>
    public const int LargeShared = 163 * 1024, SmallShared = 99 * 1024;

    /// <summary>Few: kernels that fill a device with blocks stay small.</summary>
    public const int MultiprocessorCount = 4;

    private const int MostThreads = 1024, MostStaticShared = 48 * 1024;
    private const long MemoryBytes = 8L << 30, DefaultBudget = 100_000_000;
    private readonly GlobalMemory memory = new();
    private readonly HandleTable<object> handles = new();
    private EmulatedGraph? capture;
    private bool captured;

    /// <inheritdoc/>
    public CudaDeviceInfo Device { get; } = new("emulator (sm_80)", 8, 0, MultiprocessorCount, MemoryBytes, mostShared, 0);

    /// <inheritdoc/>
    public nint Stream => 0;

    /// <summary>
    /// Looks for reads of unwritten memory, shared races, conflicts of banks and sectors. On from the beginning.
    /// </summary>
    public bool Checks { get; set; } = true;

    /// <summary>Instructions of warps that one block may run before it counts as endless.</summary>
    public long Budget { get; set; } = DefaultBudget;

    /// <summary>Told of every launch that has run: the kernel, and what it did.</summary>
    public Action<EmulatedKernel, Counters>? Launched { get; set; }

    /// <summary>What the last launch did.</summary>
    public Counters LastLaunch { get; private set; } = new();

    /// <inheritdoc/>
    public nint LoadModule(string ptx, string name)
    {
        try
        {
            return handles.Add(new EmulatedModule(name, ptx, memory));
        }
        catch (PtxException e)
        {
            throw new CudaException($"The emulator cannot load the module {name}: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public nint GetFunction(nint module, string entry)
    {
        var loaded = handles.Get<EmulatedModule>(module, "module");
        try
        {
            var kernel = loaded.Find(entry)
                ?? throw new CudaException($"The module {loaded.Name} has no kernel {entry}.");
            return handles.Add(kernel);
        }
        catch (PtxException e)
        {
            throw new CudaException($"The emulator cannot run the kernel {entry} of {loaded.Name}: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void SetDynamicShared(nint function, int bytes)
    {
        var kernel = handles.Get<EmulatedKernel>(function, "function");
        if (bytes < 0 || kernel.SharedBytes + bytes > mostShared)
        {
            throw new CudaException(
                $"The kernel {kernel.Name} cannot have {bytes} bytes of dynamic shared memory beside its own "
                + $"{kernel.SharedBytes}: a block has {mostShared} at most.");
        }
        kernel.MostDynamicShared = Math.Max(bytes, MostStaticShared - kernel.SharedBytes);
    }

    /// <inheritdoc/>
    public void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<nint> parameters)
    {
        var kernel = handles.Get<EmulatedKernel>(function, "function");
        CheckLaunch(kernel, grid, block, sharedBytes, parameters.Length);
        var bytes = new byte[kernel.ParameterBytes];
        for (var n = 0; n < parameters.Length; n++)
        {
            var (offset, variable) = kernel.Parameters[n];
            new ReadOnlySpan<byte>((void*)parameters[n], variable.Bytes).CopyTo(bytes.AsSpan(offset));
        }
        Queue(() => Run(kernel, grid, block, sharedBytes, bytes));
    }

    /// <inheritdoc/>
    public ulong Allocate(long bytes) => memory.InUse + bytes > MemoryBytes ? 0 : memory.Allocate(bytes).Start;

    /// <inheritdoc/>
    public void Free(ulong pointer)
    {
        try
        {
            memory.Free(pointer);
        }
        catch (ArgumentException e)
        {
            throw new CudaException($"The emulator cannot free memory: {e.Message}");
        }
    }

    /// <summary>
    /// Of an allocation that is handed out again no byte counts as written, and what lies behind those asked for is out of
    /// bounds. Once a graph was captured the bounds stay as wide as they are, since its kernels come back to memory that
    /// others had meanwhile; where work of the former owner may come late, nothing is forgotten either.
    /// </summary>
    public void HandOut(ulong pointer, long bytes, bool mayComeLate)
    {
        var item = memory.Find(pointer);
        if (item is null || item.Start != pointer || item.Freed)
            throw new CudaException($"The emulator has no allocation that begins at 0x{pointer:x}.");
        item.Bytes = captured || mayComeLate ? item.Capacity : Math.Min(bytes, item.Capacity);
        if (mayComeLate) return;
        new Span<byte>(item.Written, checked((int)item.Capacity)).Clear();
        NativeMemory.Fill(item.Data, (nuint)item.Capacity, GlobalMemory.Unwritten);
    }

    /// <inheritdoc/>
    public nint AllocateHost(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), 64);

    /// <inheritdoc/>
    public void FreeHost(nint pointer) => NativeMemory.AlignedFree((void*)pointer);

    /// <inheritdoc/>
    public void CopyToDevice(ulong target, nint source, long bytes)
    {
        if (capture is not null) throw new CudaException("Copies from the host cannot be captured in a graph.");
        if (bytes == 0) return;
        var item = Hold(target, bytes, "copy to the device");
        var offset = target - item.Start;
        Buffer.MemoryCopy((void*)source, item.Data + offset, bytes, bytes);
        NativeMemory.Fill(item.Written + offset, (nuint)bytes, ByteState.Written);
    }

    /// <inheritdoc/>
    public void CopyToHost(nint target, ulong source, long bytes)
    {
        if (capture is not null) throw new CudaException("Copies to the host cannot be captured in a graph.");
        if (bytes == 0) return;
        var item = Hold(source, bytes, "copy to the host");
        Buffer.MemoryCopy(item.Data + (source - item.Start), (void*)target, bytes, bytes);
    }

    /// <inheritdoc/>
    public void CopyOnDevice(ulong target, ulong source, long bytes) => Queue(() =>
    {
        if (bytes == 0) return;
        var (to, from) = (Hold(target, bytes, "copy on the device"), Hold(source, bytes, "copy on the device"));
        Buffer.MemoryCopy(from.Data + (source - from.Start), to.Data + (target - to.Start), bytes, bytes);
        Buffer.MemoryCopy(from.Written + (source - from.Start), to.Written + (target - to.Start), bytes, bytes);
    });

    /// <inheritdoc/>
    public void Fill(ulong target, byte value, long bytes) => Queue(() =>
    {
        if (bytes == 0) return;
        var item = Hold(target, bytes, "fill");
        NativeMemory.Fill(item.Data + (target - item.Start), (nuint)bytes, value);
        NativeMemory.Fill(item.Written + (target - item.Start), (nuint)bytes, ByteState.Written);
    });

    /// <inheritdoc/>
    public void Synchronize()
    {
    }

    /// <inheritdoc/>
    public nint CreateEvent() => handles.Add(new EventMark());

    /// <inheritdoc/>
    public void RecordEvent(nint mark) => handles.Get<EventMark>(mark, "event").Time = Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    public void WaitFor(nint mark) => handles.Get<EventMark>(mark, "event");

    /// <inheritdoc/>
    public double Milliseconds(nint from, nint to) => Stopwatch.GetElapsedTime(
        handles.Get<EventMark>(from, "event").Time, handles.Get<EventMark>(to, "event").Time).TotalMilliseconds;

    /// <inheritdoc/>
    public void DestroyEvent(nint mark) => handles.Remove(mark, "event");

    /// <inheritdoc/>
    public void BeginCapture()
    {
        if (capture is not null) throw new CudaException("A capture has begun already.");
        capture = new EmulatedGraph();
        captured = true;
        memory.Widen();
    }

    /// <inheritdoc/>
    public nint EndCapture()
    {
        var graph = capture ?? throw new CudaException("No capture has begun.");
        capture = null;
        return handles.Add(graph);
    }

    /// <inheritdoc/>
    public void LaunchGraph(nint graph)
    {
        if (capture is not null) throw new CudaException("A graph cannot be launched while another is captured.");
        foreach (var work in handles.Get<EmulatedGraph>(graph, "graph").Work) work();
    }

    /// <inheritdoc/>
    public void DestroyGraph(nint graph) => handles.Remove(graph, "graph");

    /// <inheritdoc/>
    public void Dispose() => memory.Dispose();

    private void Queue(Action work)
    {
        if (capture is null) work();
        else capture.Work.Add(work);
    }

    private void Run(EmulatedKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, byte[] parameters)
    {
        fixed (byte* p = parameters)
        {
            LastLaunch = new LaunchRun(kernel, memory, grid, block, sharedBytes, p, Checks, Budget).Run();
        }
        Launched?.Invoke(kernel, LastLaunch);
    }

    private void CheckLaunch(EmulatedKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, int parameters)
    {
        var threads = (long)block.X * block.Y * block.Z;
        if (block.X < 1 || block.Y < 1 || block.Z < 1 || block.Z > 64
            || threads > Math.Min(MostThreads, kernel.MostThreads))
        {
            throw new CudaException(
                $"The kernel {kernel.Name} cannot be launched with blocks of {Finding.Words(block)} threads: "
                + $"it allows {Math.Min(MostThreads, kernel.MostThreads)}.");
        }
        if (grid.X < 1 || grid.Y < 1 || grid.Z < 1 || grid.Y > 65535 || grid.Z > 65535)
            throw new CudaException(
                $"The kernel {kernel.Name} cannot be launched with a grid of {Finding.Words(grid)} blocks.");
        if (parameters != kernel.Parameters.Count)
            throw new CudaException(
                $"The kernel {kernel.Name} has {kernel.Parameters.Count} parameters, got {parameters}.");
        if (sharedBytes < 0 || sharedBytes > kernel.MostDynamicShared || kernel.SharedBytes + sharedBytes > mostShared)
        {
            throw new CudaException(
                $"The kernel {kernel.Name} was not allowed {sharedBytes} bytes of dynamic shared memory, "
                + $"only {kernel.MostDynamicShared} (SetDynamicShared).");
        }
    }

    private Allocation Hold(ulong pointer, long bytes, string doing)
    {
        try
        {
            return memory.Holding(pointer, bytes);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new CudaException($"The emulator cannot {doing}: {memory.Nearest(pointer, bytes)}.");
        }
    }

    /// <summary>A time.</summary>
    private sealed class EventMark
    {
        public long Time { get; set; }
    }

    /// <summary>What was recorded, in its order; launches hold their own copy of the parameters.</summary>
    private sealed class EmulatedGraph
    {
        public List<Action> Work { get; } = [];
    }
}
