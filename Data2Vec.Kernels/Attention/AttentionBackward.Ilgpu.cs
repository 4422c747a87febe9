using Data2Vec.Kernels.Ilgpu;
using ILGPU;
using ILGPU.Runtime;
using Tile = Data2Vec.Kernels.Ilgpu.AttentionTile;

namespace Data2Vec.Kernels;

public sealed partial class IlgpuBackend
{
    /// <inheritdoc/>
    public void AttentionBackward(in AttentionBackwardArgs a)
    {
        RefuseLargeHeads("AttentionBackward", a.HeadSize, Math.Max(Math.Max(a.QRow, a.KRow), Math.Max(a.VRow, a.ORow)));
        if (a.Q.DType == DType.BFloat16) Run<Brain>(a);
        else if (a.Q.DType == DType.Float32) Run<Full>(a);
        else throw NoSuchType("AttentionBackward", a.Q.DType);

        void Run<T>(in AttentionBackwardArgs a)
            where T : unmanaged, IElement<T>
        {
            if (a.HeadSize <= Tile.Piece) LaunchGradients<T, OnePiece>(a);
            else LaunchGradients<T, TwoPieces>(a);
        }
    }

    private void LaunchGradients<T, TPieces>(in AttentionBackwardArgs a)
        where T : unmanaged, IElement<T>
        where TPieces : unmanaged, IHeadPieces
    {
        var heads = checked(a.Batch * a.Heads);
        var threads = Tile.Threads(a.Queries);
        var queryTiles = (a.Queries + threads / 2 - 1) / (threads / 2);
        var keyTiles = (a.Keys + Tile.Columns - 1) / Tile.Columns;
        var products = pool.Allocate(Math.Max(1, (long)heads * a.Queries) * sizeof(float));
        var args = new AttentionGradientArgs<T>
        {
            Scores = AttentionScores<T>.Of(a.KeyMask, a.Bias, a.Slopes, a.Dropout, a.Batch, a.Heads, a.Queries, a.Keys,
                a.HeadSize, a.Scale),
            Q = View<T>(a.Q), K = View<T>(a.K), V = View<T>(a.V), O = View<T>(a.O), DO = View<T>(a.DO), DQ = View<T>(a.DQ),
            DK = View<T>(a.DK), DV = View<T>(a.DV), DBias = View<T>(a.DBias), DSlopes = View<T>(a.DSlopes),
            LogSumExp = View<float>(a.LogSumExp), Products = products.View.Cast<float>(),
            QRow = (int)a.QRow, KRow = (int)a.KRow, VRow = (int)a.VRow, ORow = (int)a.ORow, Tiles = queryTiles,
            WholeQ = WholeHeads(a.Q, a.QRow, a.HeadSize), WholeK = WholeHeads(a.K, a.KRow, a.HeadSize),
            WholeV = WholeHeads(a.V, a.VRow, a.HeadSize), WholeO = WholeHeads(a.O, a.ORow, a.HeadSize),
            WholeDO = WholeHeads(a.DO, a.ORow, a.HeadSize), WholeDQ = WholeHeads(a.DQ, a.QRow, a.HeadSize),
            WholeDK = WholeHeads(a.DK, a.KRow, a.HeadSize), WholeDV = WholeHeads(a.DV, a.VRow, a.HeadSize),
            AccumulateBias = a.AccumulateBias ? 1 : 0, AccumulateSlopes = a.AccumulateSlopes ? 1 : 0,
        };
        var rows = (long)heads * a.Queries;
        var productThreads = GroupSize(rows * AttentionProductKernels.Lanes);
        var productRows = productThreads / AttentionProductKernels.Lanes;
        Launch(AttentionProductKernels<T>.Backward, new Index3D(checked((int)((rows + productRows - 1) / productRows)), 1, 1),
            productThreads, args);
        if (!a.DQ.IsNone)
            Launch(AttentionQueryKernels<T, TPieces>.Backward, new Index3D(checked(queryTiles * heads), 1, 1), threads, args);
        if (!a.DK.IsNone || !a.DV.IsNone)
        {
            var keyThreads = Tile.Threads(a.Keys);
            args.Tiles = (a.Keys + keyThreads / 2 - 1) / (keyThreads / 2);
            Launch(AttentionKeyKernels<T, TPieces>.Backward, new Index3D(checked(args.Tiles * heads), default(TPieces).Count, 1),
                keyThreads, args);
        }
        if (!a.DBias.IsNone || !a.DSlopes.IsNone)
        {
            args.Tiles = queryTiles;
            args.KeyTiles = keyTiles;
            var tiles = checked(a.Heads * queryTiles * keyTiles);
            var parts = a.DSlopes.IsNone ? null : pool.Allocate(Math.Max(1L, tiles) * sizeof(float));
            if (parts is not null) args.SlopeParts = ((ArrayView<byte>)parts.View).Cast<float>();
            Launch(AttentionBiasKernels<T, TPieces>.Backward, new Index3D(tiles, 1, 1), threads, args);
            if (parts is not null)
            {
                Launch(AttentionSlopeKernels<T>.Backward, new Index3D(a.Heads, 1, 1), 32, args);
                pool.Free(parts);
            }
        }
        pool.Free(products);
    }
}

/// <summary>Operands as in <see cref="AttentionBackwardArgs"/>, and what the kernels leave for each other.</summary>
internal struct AttentionGradientArgs<T>
    where T : unmanaged, IElement<T>
{
    public AttentionScores<T> Scores;
    public ArrayView<T> Q, K, V, O, DO, DQ, DK, DV, DBias, DSlopes;

    /// <summary>Kept by the forward call; do·o of every query; sums of tiles for the slopes.</summary>
    public ArrayView<float> LogSumExp, Products, SlopeParts;
    public int QRow, KRow, VRow, ORow;

    /// <summary>Tiles of rows (queries, or keys for their gradients) and of columns of keys of one head.</summary>
    public int Tiles, KeyTiles;

    /// <summary>1 = heads can be read and written in units of four elements.</summary>
    public int WholeQ, WholeK, WholeV, WholeO, WholeDO, WholeDQ, WholeDK, WholeDV;
    public int AccumulateBias, AccumulateSlopes;
}
