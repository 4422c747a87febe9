using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>Operands as in <see cref="GradientNormArgs"/>; a partial sum for each chunk.</summary>
internal struct GradientNormKernelArgs
{
    public ArrayView<Full> Gradients;
    public ArrayView<Segment> Segments;
    public ArrayView<StepValues> Step;
    public ArrayView<double> Partial;
    public int SegmentCount, Chunks, InFours;
}

internal static class GradientNormKernels
{
    /// <summary>Elements of a group: so many that the sums of the groups are few.</summary>
    public const int Chunk = 16 * 1024;

    public static readonly KernelSource<GradientNormKernelArgs> Squares = new("gradient_norm_squares", OfChunk);

    public static readonly KernelSource<GradientNormKernelArgs> Finish = new("gradient_norm_finish", OfStep);

    public static IEnumerable<KernelSource> All => [Squares, Finish];

    private static void OfChunk(GradientNormKernelArgs a)
    {
        var start = (long)Grid.IdxX * Chunk;
        double sum = 0;
        for (var s = SegmentTable.FirstBehind(a.Segments, a.SegmentCount, start); s < a.SegmentCount; s++)
        {
            if (!SegmentTable.Meets(a.Segments, s, start, Chunk, out var from, out var to)) break;
            if (a.Segments[s].HasGradient == 0) continue;
            var fours = SegmentTable.EndOfFours(from, to, a.InFours != 0);
            for (var i = (from >> 2) + Group.IdxX; i < fours >> 2; i += Group.DimX)
            {
                var g = Quad.Load(a.Gradients, i);
                sum += (double)g.A * g.A + (double)g.B * g.B + ((double)g.C * g.C + (double)g.D * g.D);
            }
            for (var i = fours + Group.IdxX; i < to; i += Group.DimX)
            {
                double g = a.Gradients[i].Widen();
                sum += g * g;
            }
        }
        sum = RowReduction.Sum(sum);
        if (Group.IsFirstThread) a.Partial[Grid.IdxX] = sum;
    }

    /// <summary>As <see cref="GradientClip"/>.</summary>
    private static void OfStep(GradientNormKernelArgs a)
    {
        double total = 0;
        for (var i = Group.IdxX; i < a.Chunks; i += Group.DimX) total += a.Partial[i];
        total = RowReduction.Sum(total);
        if (!Group.IsFirstThread) return;
        var divisor = a.Step[0].GradientDivisor;
        var limit = a.Step[0].MaxGradientNorm;
        var norm = Math.Sqrt(total) / divisor;
        var clip = 1.0;
        if (limit > 0)
        {
            // Not "less than 1": the factor of a norm that is not a number is not one either.
            clip = limit / (norm + 1e-6);
            if (clip >= 1) clip = 1;
        }
        a.Step[0].GradientNorm = norm;
        a.Step[0].GradientFactor = clip / divisor;
        // What is infinite or not a number does not give 0 here.
        a.Step[0].NonFinite = norm - norm == 0 ? 0 : 1;
    }
}

/// <summary>How kernels find their way in the table of a store, which is in the order of the offsets.</summary>
internal static class SegmentTable
{
    /// <summary>The first segment that ends behind a position; the number of segments when there is none.</summary>
    public static int FirstBehind(ArrayView<Segment> segments, int count, long position)
    {
        int low = 0, high = count;
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (segments[middle].Offset + segments[middle].Length > position) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// <summary>What a segment and a chunk have in common; false for a segment behind the chunk.</summary>
    public static bool Meets(ArrayView<Segment> segments, int segment, long start, int chunk, out long from, out long to)
    {
        var offset = segments[segment].Offset;
        var end = offset + segments[segment].Length;
        from = offset > start ? offset : start;
        to = end < start + chunk ? end : start + chunk;
        return offset < start + chunk;
    }

    /// <summary>Up to where a range can be taken in fours; its start when it cannot.</summary>
    public static long EndOfFours(long from, long to, bool aligned) => aligned && (from & 3) == 0 ? to & ~3L : from;
}
