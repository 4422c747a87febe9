namespace Data2Vec.Kernels;

/// <summary>Which random sequence: every draw of the project is a function of this key and a position, nothing else.</summary>
/// <param name="Seed">Seed of the run.</param>
/// <param name="Step">Finished updates.</param>
/// <param name="MicroBatch">Micro-batch inside the update.</param>
/// <param name="Site">Declared number of the place that draws.</param>
public readonly record struct RandomKey(ulong Seed, uint Step, ushort MicroBatch, uint Site);

/// <summary>Four random 32-bit words.</summary>
public readonly record struct PhiloxBlock(uint W0, uint W1, uint W2, uint W3)
{
    /// <summary>Word 0 to 3.</summary>
    public uint this[int index] => index switch { 0 => W0, 1 => W1, 2 => W2, _ => W3 };
}

/// <summary>
/// Philox4x32-10, the counter-based generator of Salmon et al. 2011. Counter words: block (low 32 bits), block (bits 32
/// to 47) with the micro-batch above, site, step; key words: the seed. The same on every backend and thread count.
/// </summary>
public static class Philox
{
    private const uint M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;

    /// <summary>The generator itself: 10 rounds over a 128-bit counter under a 64-bit key, word 0 lowest.</summary>
    public static PhiloxBlock Rounds(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < 10; round++)
        {
            var p0 = (ulong)M0 * c0;
            var p1 = (ulong)M1 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += W0;
            k1 += W1;
        }
        return new PhiloxBlock(c0, c1, c2, c3);
    }

    /// <summary>Words 4 * block to 4 * block + 3 of a sequence; block is below 2^48.</summary>
    public static PhiloxBlock Block(in RandomKey key, ulong block) => Rounds(
        (uint)block, (uint)(block >> 32) & 0xFFFF | (uint)key.MicroBatch << 16, key.Site, key.Step,
        (uint)key.Seed, (uint)(key.Seed >> 32));

    /// <summary>Word number <paramref name="position"/> of a sequence.</summary>
    public static uint Word(in RandomKey key, ulong position) => Block(key, position / 4)[(int)(position % 4)];
}

/// <summary>A cursor over one sequence, for host code that draws one number after the other.</summary>
public struct PhiloxStream(RandomKey key)
{
    private readonly RandomKey key = key;
    private PhiloxBlock block;
    private ulong position;

    /// <summary>The next 32 random bits.</summary>
    public uint NextUInt()
    {
        if (position % 4 == 0) block = Philox.Block(key, position / 4);
        return block[(int)(position++ % 4)];
    }

    /// <summary>Uniform in [0, 1), 53 bits from two words.</summary>
    public double NextDouble()
    {
        var high = NextUInt() >> 5;
        var low = NextUInt() >> 6;
        return (high * 67108864.0 + low) / 9007199254740992.0;
    }

    /// <summary>Uniform in [0, bound), without modulo bias (Lemire 2019).</summary>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var threshold = (uint)-bound % (uint)bound;
        while (true)
        {
            var product = (ulong)NextUInt() * (uint)bound;
            if ((uint)product >= threshold) return (int)(product >> 32);
        }
    }

    /// <summary>Standard normal, Box-Muller in double; one value from two uniforms.</summary>
    public double NextNormal() =>
        Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Random order, in place (Fisher-Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Distinct numbers from [0, n), in the order drawn (partial Fisher-Yates).</summary>
    public int[] SampleWithoutReplacement(int n, int count)
    {
        if (count > n || count < 0)
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} distinct numbers below {n} do not exist.");
        var items = new int[n];
        for (var i = 0; i < n; i++) items[i] = i;
        for (var i = 0; i < count; i++)
        {
            var j = i + NextInt(n - i);
            (items[i], items[j]) = (items[j], items[i]);
        }
        return items[..count];
    }
}
