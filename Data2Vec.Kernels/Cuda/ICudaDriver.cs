namespace Data2Vec.Kernels.Cuda;

/// <summary>
/// The part of the CUDA driver API that the engine uses: one device, one context, one stream. The driver of the machine is
/// one implementation, the emulator another; host code, launches and PTX are the same for both. "Queued" calls return at
/// once and run in their order.
/// </summary>
internal interface ICudaDriver : IDisposable
{
    /// <summary>What it drives.</summary>
    CudaDeviceInfo Device { get; }

    /// <summary>The one stream by its own handle, for libraries that queue their work into it; 0 without one.</summary>
    nint Stream { get; }

    /// <summary>Compiles PTX for the device and loads it.</summary>
    /// <param name="ptx">The text.</param>
    /// <param name="name">What to call it in messages.</param>
    nint LoadModule(string ptx, string name);

    /// <summary>An entry point of a module.</summary>
    nint GetFunction(nint module, string entry);

    /// <summary>Allows a function so much dynamic shared memory; more than 48 KiB has to be asked for.</summary>
    void SetDynamicShared(nint function, int bytes);

    /// <summary>Queues a kernel.</summary>
    /// <param name="function">From <see cref="GetFunction"/>.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="block">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory.</param>
    /// <param name="parameters">For each parameter the address of its bytes, which are copied before the call returns.</param>
    void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<nint> parameters);

    /// <summary>Device memory; 0 when there is no more.</summary>
    ulong Allocate(long bytes);

    /// <summary>Gives device memory back, after what is queued.</summary>
    void Free(ulong pointer);

    /// <summary>A pool hands memory out again: for drivers that check what is done with it.</summary>
    /// <param name="pointer">From <see cref="Allocate"/>.</param>
    /// <param name="bytes">How many of its bytes were asked for.</param>
    /// <param name="mayComeLate">Work of its former owner may be sent after this.</param>
    void HandOut(ulong pointer, long bytes, bool mayComeLate)
    {
    }

    /// <summary>Pinned memory of the host, for copies that are queued.</summary>
    nint AllocateHost(long bytes);

    /// <summary>Gives pinned memory back.</summary>
    void FreeHost(nint pointer);

    /// <summary>Queues a copy from pinned memory, which must not change before it has run.</summary>
    void CopyToDevice(ulong target, nint source, long bytes);

    /// <summary>Queues a copy to pinned memory; valid after <see cref="Synchronize"/>.</summary>
    void CopyToHost(nint target, ulong source, long bytes);

    /// <summary>Queues a copy inside device memory.</summary>
    void CopyOnDevice(ulong target, ulong source, long bytes);

    /// <summary>Queues the writing of one byte over and over.</summary>
    void Fill(ulong target, byte value, long bytes);

    /// <summary>Waits for everything queued; errors of what was queued surface here.</summary>
    void Synchronize();

    /// <summary>A mark for the queue.</summary>
    nint CreateEvent();

    /// <summary>Queues a mark.</summary>
    void RecordEvent(nint mark);

    /// <summary>Waits until a mark has been passed.</summary>
    void WaitFor(nint mark);

    /// <summary>Time between two marks that were passed.</summary>
    double Milliseconds(nint from, nint to);

    /// <summary>Gives a mark back.</summary>
    void DestroyEvent(nint mark);

    /// <summary>From here on, launches, copies and fills are recorded and do not run.</summary>
    void BeginCapture();

    /// <summary>Ends the recording; gives what can be launched again and again.</summary>
    nint EndCapture();

    /// <summary>Queues everything recorded.</summary>
    void LaunchGraph(nint graph);

    /// <summary>Gives a recording back.</summary>
    void DestroyGraph(nint graph);
}

/// <summary>Blocks of a grid, or threads of a block.</summary>
internal readonly record struct Dim3(int X, int Y = 1, int Z = 1);

/// <summary>What a device is.</summary>
/// <param name="Name">As its driver calls it.</param>
/// <param name="Major">Compute capability, before the dot.</param>
/// <param name="Minor">Compute capability, after the dot.</param>
/// <param name="Multiprocessors">Streaming multiprocessors.</param>
/// <param name="MemoryBytes">Its memory.</param>
/// <param name="MostSharedBytes">Shared memory that a block can ask for.</param>
/// <param name="CacheBytes">The cache in front of its memory (L2); 0 when a processor of the host plays the device.</param>
internal sealed record CudaDeviceInfo(
    string Name, int Major, int Minor, int Multiprocessors, long MemoryBytes, int MostSharedBytes,
    int CacheBytes);

/// <summary>A call of the driver, or a kernel that it ran, failed.</summary>
public class CudaException(string message) : Exception(message);
