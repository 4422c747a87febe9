using System.Runtime.CompilerServices;
using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary>
/// Sizes of attention, and what happens to a scaled product on its way to a probability: bias, slopes, mask, dropout.
/// </summary>
internal struct AttentionScores<T>
    where T : unmanaged, IElement<T>
{
    public ArrayView<byte> KeyMask;
    public ArrayView<T> Bias, Slopes;
    public DeviceDropout Dropout;
    public int Batch, Heads, Queries, Keys, HeadSize;
    public float Scale;

    /// <summary>1 = four neighbouring keys of the bias can be read at once.</summary>
    public int WholeBias;

    /// <summary>One bit for each of four neighbouring keys of a sample: it exists and takes part.</summary>
    public readonly uint Alive(int b, int j)
    {
        var left = Keys - j;
        var alive = Exist(j);
        if (KeyMask.Length == 0) return alive;
        var at = (long)b * Keys + j;
        if (left > 0 && KeyMask[at] == 0) alive &= ~1u;
        if (left > 1 && KeyMask[at + 1] == 0) alive &= ~2u;
        if (left > 2 && KeyMask[at + 2] == 0) alive &= ~4u;
        if (left > 3 && KeyMask[at + 3] == 0) alive &= ~8u;
        return alive;
    }

    /// <summary>One bit for each of four neighbouring keys: it exists.</summary>
    public readonly uint Exist(int j)
    {
        var left = Keys - j;
        return left >= 4 ? 15u : left <= 0 ? 0u : (1u << left) - 1;
    }

    /// <summary>The slope of a head; 0 without ALiBi.</summary>
    public readonly float Slope(int h) => Slopes.Length == 0 ? 0 : Slopes[h].Widen();

    /// <summary>Where the bias of a head's query begins.</summary>
    public readonly long BiasRow(int h, int query) => ((long)h * Queries + query) * Keys;

    /// <summary>
    /// Scores of query first + y + r and keys j .. j + 3 from their scaled products; -inf where a key does not take part.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Quad Finish(Quad s, long biasRow, int first, int y, int r, int j, float slope, uint alive) =>
        Chosen(s + Offset(biasRow, first, y, r, j, slope, alive), alive, float.NegativeInfinity);

    /// <summary>bias - slope |i - j| for query i = first + y + r and keys j .. j + 3, those of them that exist.</summary>
    /// <param name="biasRow">Where the bias of query number first begins.</param>
    /// <param name="first">The tile's first query.</param>
    /// <param name="y">The query in the tile, what does not change over a kernel's loop.</param>
    /// <param name="r">The rest of it: apart, because what threads keep over a loop costs registers.</param>
    /// <param name="j">The first of four keys.</param>
    /// <param name="slope">That of the head.</param>
    /// <param name="exists">A bit for each key.</param>
    public readonly Quad Offset(long biasRow, int first, int y, int r, int j, float slope, uint exists)
    {
        var i = first + y + r;
        var s = default(Quad);
        if (Bias.Length != 0 && i < Queries && exists != 0)
        {
            // Within a tile 32 bits are enough. Units are views of units: a view of elements is not known to be aligned.
            var row = biasRow + (long)r * Keys;
            var at = y * Keys + j;
            if (WholeBias != 0)
            {
                var unit = Bias.Cast<Four<T>>().SubView(row >> 2)[at >> 2];
                s = new Quad { A = unit.A.Widen(), B = unit.B.Widen(), C = unit.C.Widen(), D = unit.D.Widen() };
            }
            else
            {
                var bias = Bias.SubView(row).SubView(at);
                if ((exists & 1) != 0) s.A = bias[0].Widen();
                if ((exists & 2) != 0) s.B = bias[1].Widen();
                if ((exists & 4) != 0) s.C = bias[2].Widen();
                if ((exists & 8) != 0) s.D = bias[3].Widen();
            }
        }
        if (slope == 0) return s;
        s.A -= slope * IntrinsicMath.Abs(i - j);
        s.B -= slope * IntrinsicMath.Abs(i - j - 1);
        s.C -= slope * IntrinsicMath.Abs(i - j - 2);
        s.D -= slope * IntrinsicMath.Abs(i - j - 3);
        return s;
    }

    /// <summary>What four bits choose of four numbers, and something else for the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Quad Chosen(Quad s, uint bits, float otherwise) => new()
    {
        A = (bits & 1) != 0 ? s.A : otherwise, B = (bits & 2) != 0 ? s.B : otherwise,
        C = (bits & 4) != 0 ? s.C : otherwise, D = (bits & 8) != 0 ? s.D : otherwise,
    };

    /// <summary>
    /// What to subtract from a query's scores before the exponential: its log-sum-exp; for a query without any key infinity,
    /// which gives the zeros that -inf would not.
    /// </summary>
    public static float Above(float logSumExp) => logSumExp == float.NegativeInfinity ? float.PositiveInfinity : logSumExp;

    /// <summary>
    /// For a thread of a warp with 16 query rows and 32 key columns: which scores of row number (lane / 2) the dropout keeps,
    /// of the 16 keys that the lane's lowest bit says. <see cref="KeptOf"/> hands them to those who need them.
    /// </summary>
    public readonly uint KeepBits(int b, int h, int firstQuery, int firstKey)
    {
        var i = firstQuery + (Warp.LaneIdx >> 1);
        var j = firstKey + (Warp.LaneIdx & 1) * 16;
        var count = i < Queries ? IntrinsicMath.Clamp(Keys - j, 0, 16) : 0;
        return count == 0 ? 0 : Dropout.KeepBits((((long)b * Heads + h) * Queries + i) * Keys + j, count);
    }

    /// <summary>Four bits for the keys of this thread and its row number r of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint KeptOf(uint bits, int r) =>
        Warp.Shuffle(bits, ((AttentionTile.Y & 3) * 4 + r) * 2 + (AttentionTile.X >> 2)) >> ((AttentionTile.X & 3) * 4);

    /// <summary>
    /// As <see cref="KeepBits"/>, for a warp whose rows are 16 keys and whose columns are 32 queries: a lane has the 16 keys of
    /// query number (lane).
    /// </summary>
    public readonly uint KeepBitsOfKeys(int b, int h, int firstQuery, int firstKey)
    {
        var i = firstQuery + Warp.LaneIdx;
        var count = i < Queries ? IntrinsicMath.Clamp(Keys - firstKey, 0, 16) : 0;
        return count == 0 ? 0 : Dropout.KeepBits((((long)b * Heads + h) * Queries + i) * Keys + firstKey, count);
    }

    /// <summary>Four bits for the keys (rows) of this thread and its query (column) number c of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint KeptOfKeys(uint bits, int c) =>
        Warp.Shuffle(bits, AttentionTile.X * 4 + c) >> ((AttentionTile.Y & 3) * 4);

    public static AttentionScores<T> Of(
        BufferView keyMask, BufferView bias, BufferView slopes, in DropoutSource dropout, int batch, int heads, int queries,
        int keys, int headSize, double scale) => new()
        {
            KeyMask = IlgpuBackend.View<byte>(keyMask), Bias = IlgpuBackend.View<T>(bias),
            Slopes = IlgpuBackend.View<T>(slopes), Dropout = DeviceDropout.Of(dropout), Batch = batch, Heads = heads,
            Queries = queries, Keys = keys, HeadSize = headSize, Scale = (float)scale,
            WholeBias = bias.Offset % 4 == 0 && keys % 4 == 0 ? 1 : 0,
        };
}
