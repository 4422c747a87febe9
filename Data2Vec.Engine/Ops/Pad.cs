using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>What a border repeats.</summary>
public enum PadMode
{
    /// <summary>The elements next to the edge, mirrored at it: the edge itself is not repeated.</summary>
    Reflect,
    /// <summary>The edge.</summary>
    Replicate,
    /// <summary>The other end.</summary>
    Circular,
}

public static partial class Ops
{
    /// <summary>
    /// x with a border that repeats its own elements: (before, after) for every dimension, outermost first.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A width is negative, their number is not the rank, or the border needs more elements than there are.
    /// </exception>
    public static Tensor Pad(Tensor x, ReadOnlySpan<(int Before, int After)> widths, PadMode mode)
    {
        Refuse.Unless(widths.Length == x.Shape.Rank,
            $"Pad: {x} needs {x.Shape.Rank} pairs of widths; got {widths.Length}.");
        var y = x;
        for (var d = 0; d < widths.Length; d++)
        {
            var (before, after) = widths[d];
            var n = x.Shape[d];
            Refuse.Unless(before >= 0 && after >= 0, $"Pad: widths must not be negative; got {widths[d]}.");
            if (before == 0 && after == 0) continue;
            var most = mode switch { PadMode.Reflect => n - 1, PadMode.Circular => n, _ => n > 0 ? int.MaxValue : 0 };
            Refuse.Unless(before <= most && after <= most,
                $"Pad: dimension {d} of {x.Shape} is too short for a {mode} border of {widths[d]}.");
            var index = new int[before + n + after];
            for (var i = 0; i < index.Length; i++)
            {
                var at = i - before;
                index[i] = mode switch
                {
                    PadMode.Reflect => at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at,
                    PadMode.Replicate => Math.Clamp(at, 0, n - 1),
                    _ => (at + n) % n,
                };
            }
            y = IndexSelect(y, d, Tensor.From<int>(x.Device, index, new Shape(index.Length)));
        }
        return y;
    }
}
