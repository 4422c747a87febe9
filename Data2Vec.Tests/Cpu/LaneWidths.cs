using System.Runtime.Intrinsics.X86;
using Data2Vec.Kernels.Cpu;
using NUnit.Framework;

namespace Data2Vec.Tests.Cpu;

/// <summary>Which vector widths this processor can run: their tests are ignored elsewhere.</summary>
internal static class LaneWidths
{
    public static void Require<T>()
        where T : struct, ILanes<T>
    {
        var supported = typeof(T) == typeof(Lanes512) ? Avx512F.IsSupported
            : typeof(T) != typeof(Lanes256) || (Avx2.IsSupported && Fma.IsSupported);
        if (!supported) Assert.Ignore($"This processor has no {T.Name}.");
    }
}
