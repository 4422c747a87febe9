using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cpu;

/// <summary>Aligned memory that grows and is reused from call to call: workspace of one thread.</summary>
internal sealed unsafe class NativeScratch : IDisposable
{
    private void* memory;
    private nuint size;

    /// <summary>Room for this many floats; what was in it before is lost when it grows.</summary>
    public float* Floats(long count)
    {
        var bytes = (nuint)Math.Max(64, count * sizeof(float));
        if (bytes > size)
        {
            NativeMemory.AlignedFree(memory);
            memory = NativeMemory.AlignedAlloc(bytes, 64);
            size = bytes;
        }
        return (float*)memory;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
        size = 0;
    }
}
