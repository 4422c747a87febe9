using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

internal static class AttentionProductKernels
{
    /// <summary>Threads for one query of one head.</summary>
    public const int Lanes = 8;
}

/// <summary>r = do·o of every query of every head, which each of its keys needs; eight threads share a row.</summary>
internal static class AttentionProductKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<AttentionGradientArgs<T>> Backward =
        new($"attention_bwd products {KernelNames.Of<T>()}", Multiply);

    private static void Multiply(AttentionGradientArgs<T> a)
    {
        var s = a.Scores;
        // In the order in which the rows lie in memory: position, then head.
        var number = (long)Grid.IdxX * (Group.DimX / AttentionProductKernels.Lanes) + (Group.IdxX >> 3);
        var count = (long)s.Batch * s.Queries * s.Heads;
        // Threads behind the last row repeat it: all lanes must take part in the sum.
        var row = number < count ? number : count - 1;
        var position = row / s.Heads;
        var h = row - position * s.Heads;
        var at = position * a.ORow + h * s.HeadSize;
        var lane = Group.IdxX & 7;
        var sum = 0f;
        // The same units of four however they are read: the order of a sum must not depend on where an operand begins.
        for (var c = lane * 4; c < s.HeadSize; c += AttentionProductKernels.Lanes * 4)
        {
            var p = Unit(a.O, at + c, s.HeadSize - c, a.WholeO) * Unit(a.DO, at + c, s.HeadSize - c, a.WholeDO);
            sum += p.Sum;
        }
        sum = AttentionTile.RowSum(sum);
        if (lane != 0 || number >= count) return;
        var b = position / s.Queries;
        a.Products[(b * s.Heads + h) * s.Queries + (position - b * s.Queries)] = sum;
    }

    private static Quad Unit(ArrayView<T> view, long at, int left, int whole)
    {
        if (whole != 0) return Quad.Load(view, at >> 2);
        var unit = new Quad { A = view[at].Widen() };
        if (left > 1) unit.B = view[at + 1].Widen();
        if (left > 2) unit.C = view[at + 2].Widen();
        if (left > 3) unit.D = view[at + 3].Widen();
        return unit;
    }
}

/// <summary>The gradient of one slope: a warp adds what the tiles of its head have left, in their order.</summary>
internal static class AttentionSlopeKernels<T>
    where T : unmanaged, IElement<T>
{
    public static readonly KernelSource<AttentionGradientArgs<T>> Backward =
        new($"attention_bwd slopes {KernelNames.Of<T>()}", Add);

    private static void Add(AttentionGradientArgs<T> a)
    {
        var h = Grid.IdxX;
        var count = a.Tiles * a.KeyTiles;
        var parts = a.SlopeParts.SubView((long)h * count);
        var sum = 0f;
        for (var i = Group.IdxX; i < count; i += 32) sum += parts[i];
        sum = AttentionTile.RowSum(sum);
        sum += Warp.ShuffleXor(sum, 8);
        sum += Warp.ShuffleXor(sum, 16);
        if (Group.IdxX != 0) return;
        if (a.AccumulateSlopes != 0) sum += a.DSlopes[h].Widen();
        a.DSlopes[h] = default(T).Narrow(sum);
    }
}
