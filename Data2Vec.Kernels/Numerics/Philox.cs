using System.Runtime.CompilerServices;

namespace Data2Vec.Kernels;

/// <summary>
/// Philox4x32 with 10 rounds, a counter-based generator: each block of four words is a pure function of key and
/// counter. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
/// </summary>
/// <remarks>
/// The mapping of a <see cref="RandomKey"/>: key words = seed low, seed high; counter words = block low 32 bits;
/// block bits 32..47 | micro-batch shifted left by 16; site; step. Word position p lies in block p / 4 at word p % 4.
/// The functions use 32- and 64-bit integer arithmetic only, and so translate to any GPU line for line.
/// </remarks>
public static class Philox
{
    /// <summary>Blocks of one key; bits of a block number above these are ignored.</summary>
    public const ulong BlocksPerKey = 1UL << 48;

    /// <summary>Word positions of one key.</summary>
    public const ulong WordsPerKey = BlocksPerKey * 4;

    internal const uint Multiplier0 = 0xD2511F53;
    internal const uint Multiplier1 = 0xCD9E8D57;
    internal const uint Weyl0 = 0x9E3779B9;
    internal const uint Weyl1 = 0xBB67AE85;
    internal const int RoundCount = 10;

    /// <summary>The bare function: ten rounds over counter words (c0 lowest) under key words k0, k1.</summary>
    public static PhiloxBlock Rounds(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < RoundCount; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            c0 = (uint)(product1 >> 32) ^ c1 ^ k0;
            c1 = (uint)product1;
            c2 = (uint)(product0 >> 32) ^ c3 ^ k1;
            c3 = (uint)product0;
            k0 += Weyl0;
            k1 += Weyl1;
        }
        return new(c0, c1, c2, c3);
    }

    /// <summary>Block number <paramref name="block"/> (48 bits) of a key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxBlock Block(in RandomKey key, ulong block) => Rounds(
        (uint)block, ((uint)(block >> 32) & 0xFFFF) | ((uint)key.MicroBatch << 16), key.Site, key.Step,
        (uint)key.Seed, (uint)(key.Seed >> 32));

    /// <summary>The word at a position. A loop over neighbours is four times cheaper by blocks.</summary>
    public static uint Word(in RandomKey key, ulong position) => Block(key, position >> 2)[(int)(position & 3)];

    /// <summary>A uniform float32 in [0, 1): the upper 24 bits of the word, times 2^-24; exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Uniform(uint word) => (word >> 8) * 5.9604644775390625e-8f;

    /// <summary>A uniform double in [0, 1): 27 bits of <paramref name="high"/>, 26 of <paramref name="low"/>.</summary>
    public static double Uniform(uint high, uint low) =>
        (((ulong)(high >> 5) << 26) | (low >> 6)) * (1.0 / (1UL << 53));

    /// <summary>
    /// Standard normal number <paramref name="index"/> of a key, by Box and Muller in double: block index / 2 gives
    /// u = 1 - Uniform(W0, W1) in (0, 1] and v = Uniform(W2, W3); the value is sqrt(-2 ln u) times cos(2 pi v) for an
    /// even index and sin(2 pi v) for an odd one. At most 8.6 in size.
    /// </summary>
    /// <remarks>ln, cos and sin come from the C library, whose last bit may differ between platforms.</remarks>
    public static double Normal(in RandomKey key, ulong index)
    {
        var (cosine, sine) = NormalPair(Block(key, index >> 1));
        return (index & 1) == 0 ? cosine : sine;
    }

    /// <summary>The two standard normals of a block; see <see cref="Normal"/>.</summary>
    public static (double Cosine, double Sine) NormalPair(PhiloxBlock block)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - Uniform(block.W0, block.W1)));
        var (sine, cosine) = Math.SinCos(2 * Math.PI * Uniform(block.W2, block.W3));
        return (radius * cosine, radius * sine);
    }

    /// <summary>Fills the span with the uniform float32 values of word positions start, start + 1, ...</summary>
    public static void FillUniform(in RandomKey key, Span<float> values, ulong start = 0)
    {
        var block = Block(key, start >> 2);
        for (var i = 0; i < values.Length; i++)
        {
            var position = start + (uint)i;
            if (i > 0 && (position & 3) == 0) block = Block(key, position >> 2);
            values[i] = Uniform(block[(int)(position & 3)]);
        }
    }

    /// <summary>
    /// Fills the span with mean + deviation * <see cref="Normal"/> number start, start + 1, ..., rounded once.
    /// </summary>
    public static void FillNormal(
        in RandomKey key, Span<float> values, double mean = 0, double deviation = 1, ulong start = 0)
    {
        var pair = NormalPair(Block(key, start >> 1));
        for (var i = 0; i < values.Length; i++)
        {
            var index = start + (uint)i;
            if (i > 0 && (index & 1) == 0) pair = NormalPair(Block(key, index >> 1));
            values[i] = (float)(mean + deviation * ((index & 1) == 0 ? pair.Cosine : pair.Sine));
        }
    }
}
