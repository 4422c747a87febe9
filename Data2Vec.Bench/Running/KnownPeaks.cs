using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>
/// Peaks that NVIDIA's data sheets give: dense products of bfloat16 with float32 sums on the tensor cores, and float32 without
/// them. The first entry whose name is contained in the device's holds.
/// </summary>
internal static class KnownPeaks
{
    private static readonly (string Name, double BFloat16, double Float32)[] Teraflops =
    [
        ("H100 PCIe", 756, 51), ("H100 NVL", 835, 60), ("H100", 989, 67), ("H200 NVL", 835, 60), ("H200", 989, 67),
        ("A100", 312, 19.5), ("L40S", 362, 91.6), ("L4", 121, 30.3),
        ("RTX 4090", 165, 82.6), ("RTX 3090", 71, 35.6),
    ];

    /// <summary>In GFLOP/s; null when the device is not listed.</summary>
    public static double? GigaFlops(string device, DType type)
    {
        foreach (var (name, half, single) in Teraflops)
            if (Contains(device, name)) return 1e3 * (type == DType.BFloat16 ? half : single);
        return null;
    }

    /// <summary>The words of a name must stand in that of the device, each whole: "L4" is not in "NVIDIA L40S".</summary>
    private static bool Contains(string device, string name)
    {
        var words = device.Split(' ', '-', '_', '(', ')', ',');
        return name.Split(' ').All(w => words.Contains(w, StringComparer.OrdinalIgnoreCase));
    }
}
