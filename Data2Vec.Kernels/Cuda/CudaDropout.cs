using System.Runtime.InteropServices;

namespace Data2Vec.Kernels.Cuda;

/// <summary><see cref="DropoutSource"/> as kernels read it: kernels/common/dropout.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaDropout
{
    private ulong step, keep;
    private uint threshold, site;
    private int byteThreshold, mode;
    private float scale, byteScale;

    public static CudaDropout Of(in DropoutSource source) => !source.IsActive ? default : new CudaDropout
    {
        mode = source.Keep.IsNone ? 1 : 2,
        step = CudaBackend.Address(source.Step),
        keep = CudaBackend.Address(source.Keep),
        threshold = source.Threshold,
        site = source.Site,
        byteThreshold = source.ByteThreshold,
        scale = (float)(1 / (1 - source.Probability)),
        byteScale = 256f / (256 - source.ByteThreshold),
    };
}
