using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// A driver that does nothing with what it is given, and makes nothing for the collector: what is counted over it comes from
/// the code before it. Memory has addresses and no bytes; what is copied to the host is zeros.
/// </summary>
internal sealed unsafe class IdleDriver : ICudaDriver
{
    private ulong end = 1 << 20;
    private nint handles;

    /// <summary>Kernels that were sent, graphs as one.</summary>
    public long Launches { get; private set; }

    public CudaDeviceInfo Device { get; } = new("idle", 9, 0, 132, 1L << 40, 232448, 50 << 20);

    public nint Stream => 0;

    public nint LoadModule(string ptx, string name) => ++handles;

    public nint GetFunction(nint module, string entry) => ++handles;

    public void SetDynamicShared(nint function, int bytes)
    {
    }

    public void Launch(nint function, Dim3 grid, Dim3 block, int sharedBytes, ReadOnlySpan<nint> parameters) => Launches++;

    public ulong Allocate(long bytes)
    {
        var start = end;
        end += (ulong)(bytes + 255) / 256 * 256;
        return start;
    }

    public void Free(ulong pointer)
    {
    }

    public nint AllocateHost(long bytes) => (nint)NativeMemory.AllocZeroed((nuint)bytes);

    public void FreeHost(nint pointer) => NativeMemory.Free((void*)pointer);

    public void CopyToDevice(ulong target, nint source, long bytes)
    {
    }

    public void CopyToHost(nint target, ulong source, long bytes) => NativeMemory.Clear((void*)target, (nuint)bytes);

    public void CopyOnDevice(ulong target, ulong source, long bytes)
    {
    }

    public void Fill(ulong target, byte value, long bytes)
    {
    }

    public void Synchronize()
    {
    }

    public nint CreateEvent() => ++handles;

    public void RecordEvent(nint mark)
    {
    }

    public void WaitFor(nint mark)
    {
    }

    public double Milliseconds(nint from, nint to) => 1;

    public void DestroyEvent(nint mark)
    {
    }

    public void BeginCapture()
    {
    }

    public nint EndCapture() => ++handles;

    public void LaunchGraph(nint graph) => Launches++;

    public void DestroyGraph(nint graph)
    {
    }

    public void Dispose()
    {
    }
}
