using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Memory of an ILGPU device, owned by an <see cref="IlgpuPool"/>.</summary>
internal sealed class IlgpuBuffer : DeviceBuffer
{
    public IlgpuBuffer(MemoryBuffer1D<byte, ILGPU.Stride1D.Dense> memory, int sizeClass)
    {
        Memory = memory;
        Bytes = memory.Length;
        SizeClass = sizeClass;
    }

    public MemoryBuffer1D<byte, ILGPU.Stride1D.Dense> Memory { get; }

    public int SizeClass { get; }

    /// <summary>True between Allocate and Free.</summary>
    public bool InUse { get; set; }
}
