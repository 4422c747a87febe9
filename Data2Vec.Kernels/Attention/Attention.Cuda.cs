using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void Attention(in AttentionArgs a)
    {
        var size = CudaAttention.SizeOf(a.HeadSize);
        // Other heads, float32, odd addresses, no keys at all, and all probabilities for those who want to look at
        // them.
        if (size < 0 || a.Keys == 0 || !a.Probabilities.IsNone || !InHeads(a.Q, a.QRow) || !InHeads(a.K, a.KRow)
            || !InHeads(a.V, a.VRow)
            || !InHeads(a.O, a.ORow))
        {
            rest.Attention(a);
            return;
        }
        var rows = CudaAttention.QueryRows(a.HeadSize);
        var heads = checked(a.Heads * a.Batch);
        var args = new CudaAttentionArgs
        {
            Scores = CudaAttentionScores.Of(
                a.KeyMask, a.Bias, a.Slopes, a.Dropout, a.Batch, a.Heads, a.Queries, a.Keys, a.Scale),
            Q = Address(a.Q), K = Address(a.K), V = Address(a.V), O = Address(a.O), LogSumExp = Address(a.LogSumExp),
            QRow = a.QRow, KRow = a.KRow, VRow = a.VRow, ORow = a.ORow, Tiles = (a.Queries + rows - 1) / rows,
        };
        if (heads >= FewestResidentHeads && CudaAttention.HasFewKeys(a.HeadSize, a.Keys))
        {
            Launch(CudaAttention.Resident[size], a.Queries == 0 ? 0 : heads, CudaAttention.Threads, args,
                CudaAttention.ResidentBytes(a.HeadSize, a.Keys));
            return;
        }
        Launch(CudaAttention.Forward[size], checked(args.Tiles * heads), CudaAttention.Threads, args,
            CudaAttention.ForwardBytes(a.HeadSize));
    }

    /// <summary>
    /// Heads from which on one block takes all queries of a head, where its keys are few: fewer would not fill a
    /// device. Of the shape only, as every choice between kernels; tests try others.
    /// </summary>
    internal int FewestResidentHeads { get; set; } = 128;

    /// <summary>Rows of a bfloat16 operand begin at multiples of 16 bytes.</summary>
    private static bool InHeads(BufferView view, long row) =>
        view.DType == DType.BFloat16 && Address(view) % 16 == 0 && row % 8 == 0;
}

/// <summary>How scores become probabilities; kernels/common/attention_scores.cuh, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaAttentionScores
{
    private ulong keyMask, bias, slopes;
    private CudaDropout dropout;
    private int batch, heads, queries, keys;
    private float scale;
    private int pairedBias;

    public static CudaAttentionScores Of(
        BufferView keyMask, BufferView bias, BufferView slopes, in DropoutSource dropout, int batch, int heads,
        int queries,         int keys, double scale) => new()
        {
            keyMask = CudaBackend.Address(keyMask), bias = CudaBackend.Address(bias),
            slopes = CudaBackend.Address(slopes),
            dropout = CudaDropout.Of(dropout), batch = batch, heads = heads, queries = queries, keys = keys,
            scale = (float)scale, pairedBias = CudaBackend.Address(bias) % 4 == 0 && keys % 2 == 0 ? 1 : 0,
        };
}

/// <summary>Operands as in <see cref="AttentionArgs"/>; kernels/attention.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaAttentionArgs
{
    public CudaAttentionScores Scores;
    public ulong Q, K, V, O, LogSumExp;
    public long QRow, KRow, VRow, ORow;
    public int Tiles;
    private readonly int reserved;
}

/// <summary>The kernels of kernels/attention.cu, by head size.</summary>
internal static class CudaAttention
{
    /// <summary>Threads of a block.</summary>
    public const int Threads = 128;

    /// <summary>Keys of a tile, and queries of one in the kernels of keys and bias.</summary>
    public const int TileRows = 64;

    /// <summary>
    /// Blocks that fill a device of 132 multiprocessors, two each, twice: a constant, or the bits would depend on it.
    /// </summary>
    public const int BiasBlocks = 528;

    private const int MostKeptKeys = 256;

    private static readonly int[] Sizes = [32, 64, 80, 128];

    private static readonly CudaSource Source = new("attention.cu", "bf16", "-DELEMENT_BF16=1");

    public static readonly CudaKernel<CudaAttentionArgs>[] Forward =
        [.. Sizes.Select(d => new CudaKernel<CudaAttentionArgs>(Source, $"attention_fwd_d{d}", ForwardBytes(d)))];

    /// <summary>The first two head sizes: all keys and values stay in shared memory.</summary>
    public static readonly CudaKernel<CudaAttentionArgs>[] Resident = [.. Sizes.Take(2).Select(
        d => new CudaKernel<CudaAttentionArgs>(
            Source, $"attention_fwd_resident_d{d}", ResidentBytes(d, MostKeptKeys)))];

    public static readonly CudaKernel<CudaAttentionGradientArgs>[] Query = Of("query", QueryBytes);

    /// <summary>The first two head sizes: dq and dbias together.</summary>
    public static readonly CudaKernel<CudaAttentionGradientArgs>[] QueryAndBias =
        Of("query_bias", d => QueryAndBiasBytes(d, MostKeptKeys), 2);

    public static readonly CudaKernel<CudaAttentionGradientArgs>[] Key = Of("key", KeyBytes);

    public static readonly CudaKernel<CudaAttentionGradientArgs>[] Bias = Of("bias", BiasBytes);

    public static readonly CudaKernel<CudaAttentionGradientArgs> Dot = new(Source, "attention_bwd_dot");

    public static readonly CudaKernel<CudaAttentionGradientArgs> BiasParts = new(Source, "attention_bwd_bias_parts");

    public static readonly CudaKernel<CudaAttentionGradientArgs> Slope = new(Source, "attention_bwd_slope");

    public static IEnumerable<CudaKernel> All =>
        [.. Forward, .. Resident, .. Query, .. QueryAndBias, .. Key, .. Bias, Dot, BiasParts, Slope];

    /// <summary>Number of a head size among those that there are kernels for, or -1.</summary>
    public static int SizeOf(int headSize) => Array.IndexOf(Sizes, headSize);

    /// <summary>Queries of a tile: 32 a warp, or 16 where more would not fit into the registers.</summary>
    public static int QueryRows(int headSize) => headSize <= 64 ? 128 : 64;

    /// <summary>The queries, and two stages of 64 keys and values.</summary>
    public static int ForwardBytes(int headSize) => (QueryRows(headSize) + 2 * 2 * TileRows) * RowBytes(headSize);

    /// <summary>The queries, and all keys and values in tiles of 64.</summary>
    public static int ResidentBytes(int headSize, int keys) =>
        (QueryRows(headSize) + 2 * ((keys + TileRows - 1) / TileRows * TileRows)) * RowBytes(headSize);

    /// <summary>Two stages of 64 keys and values.</summary>
    public static int QueryBytes(int headSize) => 2 * 2 * TileRows * RowBytes(headSize);

    /// <summary>
    /// The same, and eight sums of each thread for each 16 keys: 96 KiB at most, which every device gives a block.
    /// </summary>
    public static int QueryAndBiasBytes(int headSize, int keys) =>
        QueryBytes(headSize) + (keys + 15) / 16 * 2 * Threads * 16;

    /// <summary>Keys are few enough to stay in shared memory, or the sums of a tile's ds for all of them.</summary>
    public static bool HasFewKeys(int headSize, int keys) => headSize <= 64 && keys <= MostKeptKeys;

    /// <summary>Keys and values, and two stages of queries and do.</summary>
    public static int KeyBytes(int headSize) =>
        (2 * TileRows + 2 * 2 * (headSize <= 80 ? 64 : 32)) * RowBytes(headSize);

    /// <summary>Stages of queries, do, keys and values.</summary>
    public static int BiasBytes(int headSize) => (headSize <= 80 ? 2 : 1) * 4 * TileRows * RowBytes(headSize);

    /// <summary>
    /// A row in shared memory: whole units of 16 bytes, an odd number of them where they are no power of two.
    /// </summary>
    private static int RowBytes(int headSize) =>
        System.Numerics.BitOperations.IsPow2(headSize) ? headSize * 2 : (headSize / 8 | 1) * 16;

    private static CudaKernel<CudaAttentionGradientArgs>[] Of(string name, Func<int, int> bytes, int sizes = 4) =>
        [.. Sizes.Take(sizes).Select(
            d => new CudaKernel<CudaAttentionGradientArgs>(Source, $"attention_bwd_{name}_d{d}", bytes(d)))];
}
