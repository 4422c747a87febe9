using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

/// <content>What the operations share to fill arguments and to launch.</content>
public sealed partial class CudaBackend
{
    /// <summary>Where a buffer begins on the device; 0 for none.</summary>
    internal static ulong Address(DeviceBuffer? buffer) => buffer is null ? 0 : ((CudaBuffer)buffer).Pointer;

    /// <summary>Where an operand begins on the device; 0 for an absent one.</summary>
    internal static ulong Address(BufferView view) =>
        view.Buffer is null ? 0 : Address(view.Buffer) + (ulong)(view.Offset * view.DType.Size());

    /// <summary>The type of an operation's elements: float32 or bfloat16.</summary>
    private static DType ElementOf(string op, BufferView view) =>
        view.DType is DType.Float32 or DType.BFloat16 ? view.DType
        : throw new NotSupportedException($"{op}: CUDA kernels compute in float32 and bfloat16; got a {view.DType.Name()} operand.");

    private void Launch<TArgs>(CudaKernel<TArgs> kernel, int blocks, int threads, in TArgs args, int sharedBytes = 0)
        where TArgs : unmanaged => runtime.Launch(kernel, new Dim3(blocks), threads, args, sharedBytes);

    private void Launch<TArgs>(CudaKernel<TArgs> kernel, Dim3 grid, int threads, in TArgs args, int sharedBytes = 0)
        where TArgs : unmanaged => runtime.Launch(kernel, grid, threads, args, sharedBytes);
}
