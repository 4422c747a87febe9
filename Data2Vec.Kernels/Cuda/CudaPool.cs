using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace Data2Vec.Kernels.Cuda;

/// <summary>Memory of a CUDA device, owned by a <see cref="CudaPool"/>.</summary>
internal sealed class CudaBuffer : IlgpuBuffer
{
    private readonly MemoryBuffer address;

    public CudaBuffer(ulong pointer, MemoryBuffer address, long bytes, int sizeClass)
    {
        this.address = address;
        Pointer = pointer;
        Bytes = bytes;
        SizeClass = sizeClass;
        View = new ArrayView<byte>(address, 0, bytes);
    }

    /// <summary>Where it lies on the device.</summary>
    public ulong Pointer { get; }

    public override ArrayView<byte> View { get; }

    public void Forget() => address.Dispose();
}

/// <summary>
/// Pool of the memory of one device, for its one stream. For ILGPU's kernels a buffer is also a view: of a host accelerator
/// that is given the device's address and never follows it.
/// </summary>
internal sealed class CudaPool(ICudaDriver driver, CudaQueue queue, AddressSpace addresses)
    : BufferPool<IlgpuBuffer>
{
    protected override string Owner => $"{driver.Device.Name} (memory {driver.Device.MemoryBytes:N0} bytes)";

    protected override IlgpuBuffer? TryMake(long bytes, int sizeClass)
    {
        var pointer = driver.Allocate(bytes);
        return pointer == 0 ? null : new CudaBuffer(pointer, addresses.At(pointer, bytes), bytes, sizeClass);
    }

    protected override void Release(IlgpuBuffer buffer)
    {
        var own = (CudaBuffer)buffer;
        own.Forget();
        driver.Free(own.Pointer);
    }

    protected override void HandOut(IlgpuBuffer buffer, long bytes) =>
        // What is noted down and not sent yet comes back to memory that others have by now.
        driver.HandOut(((CudaBuffer)buffer).Pointer, bytes, mayComeLate: queue.IsRecording);

    protected override void Wait() => queue.Synchronize();
}

/// <summary>Makes ILGPU's objects for addresses that are not its own.</summary>
internal sealed class AddressSpace : IDisposable
{
    private readonly Context context = Context.Create(b => b.CPU(new CPUDevice(2, 1, 1)));
    private readonly Accelerator host;

    public AddressSpace() => host = context.GetCPUDevice(0).CreateAccelerator(context);

    public MemoryBuffer At(ulong pointer, long bytes) => CPUMemoryBuffer.Create(host, (nint)pointer, bytes, 1);

    public void Dispose()
    {
        host.Dispose();
        context.Dispose();
    }
}
