using ILGPU;
using ILGPU.Runtime;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>Memory of an ILGPU device, owned by an <see cref="IlgpuPool"/>.</summary>
internal sealed class AcceleratorBuffer : IlgpuBuffer
{
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> memory;

    public AcceleratorBuffer(MemoryBuffer1D<byte, Stride1D.Dense> memory, int sizeClass)
    {
        this.memory = memory;
        Bytes = memory.Length;
        SizeClass = sizeClass;
    }

    public override ArrayView<byte> View => memory.View;

    public void Release() => memory.Dispose();
}

/// <summary>Pool of the memory of one device, for its one stream.</summary>
internal sealed class IlgpuPool(Accelerator accelerator) : BufferPool<IlgpuBuffer>
{
    protected override string Owner => $"{accelerator.Name} (memory {accelerator.MemorySize:N0} bytes)";

    protected override IlgpuBuffer? TryMake(long bytes, int sizeClass)
    {
        try
        {
            return new AcceleratorBuffer(accelerator.Allocate1D<byte>(bytes), sizeClass);
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException or OverflowException)
        {
            return null;
        }
    }

    protected override void Release(IlgpuBuffer buffer) => ((AcceleratorBuffer)buffer).Release();

    protected override void Wait() => accelerator.Synchronize();
}
