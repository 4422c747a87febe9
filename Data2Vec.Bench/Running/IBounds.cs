using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>What a device can do at best; the speed of a kernel is printed as a per cent of it.</summary>
internal interface IBounds
{
    /// <summary>Finds all of them now.</summary>
    void Measure();

    /// <summary>Multiply-adds of operands of a type, in GFLOP/s.</summary>
    double GigaFlops(DType type);

    /// <summary>A large product of operands of a type, measured, in GFLOP/s; of the host what its registers can do.</summary>
    double ProductGigaFlops(DType type);

    /// <summary>A copy of which so many bytes move (read and written both counted), in GB/s.</summary>
    double GigaBytes(long bytes);
}
