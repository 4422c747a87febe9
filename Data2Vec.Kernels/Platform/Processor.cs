using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Data2Vec.Kernels.Platform;

/// <summary>What vector instructions the processor and the runtime offer together.</summary>
public static class Processor
{
    /// <summary>"AVX-512F, AVX2, FMA"; the environment can switch sets off (DOTNET_EnableAVX2=0).</summary>
    public static string InstructionSets()
    {
        (string Name, bool Has)[] sets =
        [
            ("AVX-512F", Avx512F.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported),
            ("SSE4.1", Sse41.IsSupported), ("NEON", AdvSimd.IsSupported),
        ];
        var names = sets.Where(s => s.Has).Select(s => s.Name).ToArray();
        return names.Length == 0 ? "none" : string.Join(", ", names);
    }
}
