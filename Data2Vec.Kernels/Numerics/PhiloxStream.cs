namespace Data2Vec.Kernels;

/// <summary>
/// A cursor over the word positions of one key, for host code that draws a variable number of values (data order,
/// masks). What it gives depends on the key and the starting position only. Not safe for several threads.
/// </summary>
public sealed class PhiloxStream : IDraws
{
    private readonly RandomKey key;
    private PhiloxBlock block;
    private ulong position;

    /// <summary>Starts at word <paramref name="position"/> of a key.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is beyond the words of a key.</exception>
    public PhiloxStream(RandomKey key, ulong position = 0)
    {
        if (position >= Philox.WordsPerKey)
            throw new ArgumentOutOfRangeException(nameof(position), position,
                $"PhiloxStream: the position must be below {Philox.WordsPerKey}, the words of one key.");
        this.key = key;
        this.position = position;
        block = Philox.Block(key, position >> 2);
    }

    /// <summary>The position of the word that is drawn next.</summary>
    public ulong Position => position;

    /// <summary>The next word. Uses one position.</summary>
    public uint NextUInt()
    {
        var word = block[(int)(position & 3)];
        if ((++position & 3) == 0) block = Philox.Block(key, position >> 2);
        return word;
    }

    /// <summary>A uniform float32 in [0, 1). Uses one position.</summary>
    public float NextSingle() => Philox.Uniform(NextUInt());

    /// <summary>A uniform double in [0, 1). Uses two positions.</summary>
    public double NextDouble()
    {
        var high = NextUInt();
        return Philox.Uniform(high, NextUInt());
    }

    /// <summary>A uniform double between two bounds: low + (high - low) u. Uses two positions.</summary>
    public double NextDouble(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>A standard normal number: the cosine of <see cref="Philox.NormalPair"/>. Uses four positions.</summary>
    public double NextNormal()
    {
        var w0 = NextUInt();
        var w1 = NextUInt();
        var w2 = NextUInt();
        return Philox.NormalPair(new(w0, w1, w2, NextUInt())).Cosine;
    }

    /// <summary>
    /// A uniform integer in [0, bound), every value equally likely: the upper half of word * bound, where words whose
    /// lower half falls into the uneven remainder are drawn again. Uses one position, rarely more. Source: Lemire,
    /// "Fast random integer generation in an interval" (ACM TOMACS 2019).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not positive.</exception>
    public int NextInt(int bound)
    {
        if (bound <= 0)
            throw new ArgumentOutOfRangeException(nameof(bound), bound,
                "PhiloxStream.NextInt: the bound must be at least 1.");
        var range = (uint)bound;
        var product = (ulong)NextUInt() * range;
        if ((uint)product < range)
        {
            var uneven = (0u - range) % range;
            while ((uint)product < uneven) product = (ulong)NextUInt() * range;
        }
        return (int)(product >> 32);
    }

    /// <summary>Puts the items into a random order, each equally likely (Fisher and Yates, from the end).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>
    /// Draws <paramref name="count"/> different integers of [0, n), in random order; memory and time grow with count.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative or above n.</exception>
    public int[] SampleWithoutReplacement(int n, int count)
    {
        if (count < 0 || count > n)
            throw new ArgumentOutOfRangeException(nameof(count), count,
                $"PhiloxStream.SampleWithoutReplacement: the count must lie between 0 and n = {n}.");
        // The first steps of a Fisher-Yates shuffle of 0..n-1, where only the displaced entries are stored.
        var displaced = new Dictionary<int, int>(count);
        var chosen = new int[count];
        for (var i = 0; i < count; i++)
        {
            var j = i + NextInt(n - i);
            chosen[i] = displaced.GetValueOrDefault(j, j);
            displaced[j] = displaced.GetValueOrDefault(i, i);
        }
        return chosen;
    }

    /// <summary>Draws <paramref name="count"/> entries of a pool, none twice, in random order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative or above the pool's size.</exception>
    public int[] SampleWithoutReplacement(ReadOnlySpan<int> pool, int count)
    {
        var chosen = SampleWithoutReplacement(pool.Length, count);
        for (var i = 0; i < count; i++) chosen[i] = pool[chosen[i]];
        return chosen;
    }
}
