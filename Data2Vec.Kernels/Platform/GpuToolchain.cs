namespace Data2Vec.Kernels.Platform;

/// <summary>What scripts/gpu-toolchain.sh fetches: NVIDIA's compiler and assembler, which need no GPU.</summary>
internal static class GpuToolchain
{
    /// <summary>The folder of libnvrtc, whether it is there or not.</summary>
    public static string Libraries => Path.Combine(Root, "usr/lib/x86_64-linux-gnu");

    /// <summary>ptxas; null when it is not there.</summary>
    public static string? Assembler => Path.Combine(Root, "usr/bin/ptxas") is var program && File.Exists(program) ? program : null;

    private static string Root => Path.Combine(Environment.GetEnvironmentVariable("DATA2VEC_GPU_TOOLCHAIN")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache/data2vec/gpu-toolchain"), "root");
}
