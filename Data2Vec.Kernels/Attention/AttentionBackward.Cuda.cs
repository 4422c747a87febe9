using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    /// <inheritdoc/>
    public void AttentionBackward(in AttentionBackwardArgs a)
    {
        var size = CudaAttention.SizeOf(a.HeadSize);
        if (size < 0 || a.Keys == 0 || !InHeads(a.Q, a.QRow) || !InHeads(a.K, a.KRow) || !InHeads(a.V, a.VRow)
            || !InHeads(a.O, a.ORow) || !InHeads(a.DO, a.ORow) || !MayBeInHeads(a.DQ, a.QRow)
            || !MayBeInHeads(a.DK, a.KRow) || !MayBeInHeads(a.DV, a.VRow))
        {
            rest.AttentionBackward(a);
            return;
        }
        var heads = checked(a.Batch * a.Heads);
        var queryRows = CudaAttention.QueryRows(a.HeadSize);
        var rows = Allocate(Math.Max(1, (long)heads * a.Queries) * 2 * sizeof(float));
        var args = new CudaAttentionGradientArgs
        {
            Scores = CudaAttentionScores.Of(
                a.KeyMask, a.Bias, a.Slopes, a.Dropout, a.Batch, a.Heads, a.Queries, a.Keys, a.Scale),
            Q = Address(a.Q), K = Address(a.K), V = Address(a.V), O = Address(a.O), DO = Address(a.DO),
            LogSumExp = Address(a.LogSumExp), DQ = Address(a.DQ), DK = Address(a.DK), DV = Address(a.DV),
            DBias = Address(a.DBias), DSlopes = Address(a.DSlopes), Rows = Address(rows),
            QRow = a.QRow, KRow = a.KRow, VRow = a.VRow, ORow = a.ORow,
            AccumulateBias = a.AccumulateBias ? 1 : 0, AccumulateSlopes = a.AccumulateSlopes ? 1 : 0,
        };
        // Drawn once for both kernels that ask.
        var drawsOnce = a.Dropout.IsActive && !a.DQ.IsNone && (!a.DK.IsNone || !a.DV.IsNone);
        args.KeyWords = (a.Keys + 31) / 32;
        var kept = drawsOnce ? Allocate(Math.Max(1, (long)heads * a.Queries * args.KeyWords) * sizeof(uint)) : null;
        args.Kept = Address(kept);
        // 16 rows a block, eight threads each; the head size travels where the others have their tiles.
        args.Tiles = a.HeadSize;
        Launch(CudaAttention.Dot, checked((int)(((long)heads * a.Queries + 15) / 16)), 128, args);
        var sumsBias = !a.DQ.IsNone && !a.DBias.IsNone && a.DSlopes.IsNone
            && CudaAttention.HasFewKeys(a.HeadSize, a.Keys);
        if (sumsBias) QueryAndBiasGradients(a, size, args);
        else if (!a.DQ.IsNone)
        {
            args.Tiles = (a.Queries + queryRows - 1) / queryRows;
            Launch(CudaAttention.Query[size], checked(args.Tiles * heads), CudaAttention.Threads, args,
                CudaAttention.QueryBytes(a.HeadSize));
        }
        if (!a.DK.IsNone || !a.DV.IsNone)
        {
            args.Tiles = (a.Keys + CudaAttention.TileRows - 1) / CudaAttention.TileRows;
            Launch(CudaAttention.Key[size], checked(args.Tiles * heads), CudaAttention.Threads, args,
                CudaAttention.KeyBytes(a.HeadSize));
        }
        if (!sumsBias && (!a.DBias.IsNone || !a.DSlopes.IsNone)) BiasGradients(a, size, args);
        if (kept is not null) Free(kept);
        Free(rows);
    }

    /// <summary>
    /// dq and dbias together, for so few keys that a tile's sums of ds stay in shared memory: blocks take parts of the
    /// samples, as many as fill the device.
    /// </summary>
    private void QueryAndBiasGradients(in AttentionBackwardArgs a, int size, CudaAttentionGradientArgs args)
    {
        args.Tiles = (a.Queries + CudaAttention.TileRows - 1) / CudaAttention.TileRows;
        var parts = Math.Clamp(CudaAttention.BiasBlocks / Math.Max(1, args.Tiles * a.Heads), 1, Math.Max(1, a.Batch));
        args.PartSamples = (a.Batch + parts - 1) / parts;
        args.Parts = a.Batch == 0 ? 0 : (a.Batch + args.PartSamples - 1) / args.PartSamples;
        var count = (long)a.Heads * a.Queries * a.Keys;
        var memory = Allocate(Math.Max(1, args.Parts * count) * sizeof(float));
        args.BiasParts = Address(memory);
        Launch(CudaAttention.QueryAndBias[size], checked(args.Tiles * a.Heads * args.Parts), CudaAttention.Threads,
            args,
            CudaAttention.QueryAndBiasBytes(a.HeadSize, a.Keys));
        Launch(CudaAttention.BiasParts, checked((int)((count + 255) / 256)), 256, args);
        Free(memory);
    }

    private void BiasGradients(in AttentionBackwardArgs a, int size, CudaAttentionGradientArgs args)
    {
        args.Tiles = (a.Queries + CudaAttention.TileRows - 1) / CudaAttention.TileRows;
        args.KeyTiles = (a.Keys + CudaAttention.TileRows - 1) / CudaAttention.TileRows;
        var tiles = checked(a.Heads * args.Tiles * args.KeyTiles);
        var parts = a.DSlopes.IsNone ? null : Allocate(Math.Max(1L, tiles) * sizeof(float));
        args.SlopeParts = Address(parts);
        Launch(CudaAttention.Bias[size], tiles, CudaAttention.Threads, args, CudaAttention.BiasBytes(a.HeadSize));
        if (parts is null) return;
        Launch(CudaAttention.Slope, a.Heads, 32, args);
        Free(parts);
    }

    private static bool MayBeInHeads(BufferView view, long row) => view.IsNone || InHeads(view, row);
}

/// <summary>
/// Operands as in <see cref="AttentionBackwardArgs"/>; kernels/common/attention_gradients.cuh, field by field.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaAttentionGradientArgs
{
    public CudaAttentionScores Scores;
    public ulong Q, K, V, O, DO, LogSumExp, DQ, DK, DV, DBias, DSlopes;

    /// <summary>What the kernels leave for each other: two numbers of each query; a bit for each score that dropout
    /// keeps; sums of tiles for the slopes; of parts for the bias.</summary>
    public ulong Rows, Kept, SlopeParts, BiasParts;

    public long QRow, KRow, VRow, ORow;

    /// <summary>Tiles of one head: of queries, or keys; and of keys.</summary>
    public int Tiles, KeyTiles;

    public int AccumulateBias, AccumulateSlopes;

    /// <summary>Parts of the samples, and samples of a part; words of 32 keys.</summary>
    public int Parts, PartSamples, KeyWords;

    private readonly int reserved;
}
