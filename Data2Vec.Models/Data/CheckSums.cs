using System.Runtime.InteropServices;

namespace Data2Vec.Models.Data;

/// <summary>Compares a check sum that a file states with the one that its bytes have.</summary>
internal static class CheckSums
{
    /// <summary>
    /// True where they differ; never in a program built by scripts/fuzz.sh, where a mutated file would not get past
    /// its sums otherwise.
    /// </summary>
    public static bool Differ(ReadOnlySpan<byte> stated, ReadOnlySpan<byte> computed)
    {
#if FUZZING
        return stated.Length != computed.Length;
#else
        return !stated.SequenceEqual(computed);
#endif
    }

    /// <summary>The same for sums of up to 32 bits.</summary>
    public static bool Differ(uint stated, uint computed) => Differ(
        MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in stated)),
        MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in computed)));
}
