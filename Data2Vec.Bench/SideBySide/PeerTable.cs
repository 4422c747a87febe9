using System.Globalization;
using Data2Vec.Bench.Running;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.SideBySide;

/// <summary>
/// Puts a peer's time beside ours, and both beside the floor: the larger of bytes over copy bandwidth and operations over the
/// speed of a large product, each the better of what the two measured in this run.
/// </summary>
internal sealed class PeerTable(PeerAnswer answer, IBounds bounds)
{
    private double Copy => Math.Max(bounds.GigaBytes(1 << 28), answer.Bounds.CopyGigabytes);

    /// <summary>A line of ours with the peer's best, its ratio, and the floor.</summary>
    public Row Merge(Row ours, string id, DType type)
    {
        if (ours.MinSeconds is not { } seconds) return ours;
        var floor = Math.Max((ours.Bytes ?? 0) / Copy, (ours.Flops ?? 0) / Peak(type)) / 1e9;
        var theirs = answer.Of(id, ours.Pass);
        var best = theirs?.Best;
        return ours with
        {
            PeerSeconds = best?.MinSeconds,
            PeerVariant = best?.Variant,
            PeerVariants = theirs?.Variants,
            Ratio = best?.MinSeconds / seconds,
            FloorSeconds = floor,
            ShareOfFloor = 100 * floor / seconds,
            Reason = best is not null ? ours.Reason
                : "no peer: " + (theirs?.Variants.FirstOrDefault(v => v.Error is not null)?.Error ?? "it was not timed"),
        };
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"floor: copies {Copy:0.##} GB/s, {string.Join(", ", answer.Bounds.Gigaflops.Keys.Select(Words))} (the better of both sides); "
        + $"ratio: the peer's time over ours");

    private string Words(string type) => string.Create(CultureInfo.InvariantCulture,
        $"{Peak(type == DType.BFloat16.Name() ? DType.BFloat16 : DType.Float32):0.##} GFLOP/s {type}");

    private double Peak(DType type) => Math.Max(bounds.ProductGigaFlops(type), answer.Bounds.Gigaflops.GetValueOrDefault(type.Name()));
}
