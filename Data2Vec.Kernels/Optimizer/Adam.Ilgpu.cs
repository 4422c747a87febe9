using Data2Vec.Kernels.Ilgpu;
using ILGPU;

namespace Data2Vec.Kernels;

/// <summary>What the formulas of <see cref="AdamArgs"/> come to for one segment of one update.</summary>
internal struct AdamRates
{
    /// <summary>Decay that is added to the gradient.</summary>
    public float Coupled;

    /// <summary>1 - lr wd.</summary>
    public float Shrink;

    /// <summary>Factor on m / root.</summary>
    public float Rate;

    /// <summary>Factor on the root of v.</summary>
    public float RootScale;
}

internal struct AdamRateArgs
{
    public ArrayView<Segment> Segments;
    public ArrayView<StepValues> Step;
    public ArrayView<AdamRates> Rates;
    public int SegmentCount;
    public AdamVariant Variant;
    public double Beta1, Beta2;
}

/// <summary>Operands as in <see cref="AdamArgs"/> and <see cref="EmaArgs"/>, of which either may be missing.</summary>
internal struct FlatUpdateArgs
{
    public ArrayView<Full> P, G, M, V, Teacher;
    public ArrayView<Brain> Rounded, RoundedTeacher;
    public ArrayView<Segment> Segments;
    public ArrayView<StepValues> Step;
    public ArrayView<AdamRates> Rates;
    public int SegmentCount, Updates, Averages, Rounds, RoundsTeacher, InFours;
    public float Beta1, Beta2, Rest1, Rest2, Epsilon;
}

/// <summary>
/// Adam, the moving average, or one behind the other while the parameter is in a register: a single pass over the flat
/// buffers, bound by their bandwidth.
/// </summary>
internal static class AdamKernels
{
    /// <summary>Elements of a group.</summary>
    public const int Chunk = 4096;

    /// <summary>One thread a segment: its rates in double, and its count.</summary>
    public static readonly KernelSource<AdamRateArgs> Prepare = new("adam_rates", OfSegments);

    public static readonly KernelSource<FlatUpdateArgs> Update = new("flat_update", OfChunk);

    public static IEnumerable<KernelSource> All => [Prepare, Update];

    private static void OfSegments(AdamRateArgs a)
    {
        if (a.Step[0].NonFinite != 0) return;
        for (var s = GridLoop.Start; s < a.SegmentCount; s += GridLoop.Step)
        {
            if (a.Segments[s].HasGradient == 0) continue;
            var k = a.Segments[s].StepCount + 1;
            a.Segments[s].StepCount = k;
            var lr = a.Step[0].LearningRate * a.Segments[s].LearningRateScale;
            var wd = a.Segments[s].WeightDecay * a.Step[0].WeightDecayScale;
            var c1 = 1 - DeviceMath.Power(a.Beta1, k);
            var root = Math.Sqrt(1 - DeviceMath.Power(a.Beta2, k));
            var coupled = a.Variant == AdamVariant.AdamL2;
            var fairseq = a.Variant == AdamVariant.Fairseq;
            a.Rates[s] = new AdamRates
            {
                Coupled = coupled ? (float)wd : 0, Shrink = coupled ? 1 : (float)(1 - lr * wd),
                Rate = (float)(fairseq ? lr * root / c1 : lr / c1), RootScale = fairseq ? 1 : (float)(1 / root),
            };
        }
    }

    private static void OfChunk(FlatUpdateArgs a)
    {
        if (a.Step[0].NonFinite != 0) return;
        var start = (long)Grid.IdxX * Chunk;
        for (var s = SegmentTable.FirstBehind(a.Segments, a.SegmentCount, start); s < a.SegmentCount; s++)
        {
            if (!SegmentTable.Meets(a.Segments, s, start, Chunk, out var from, out var to)) break;
            var updates = a.Updates != 0 && a.Segments[s].HasGradient != 0;
            var shift = a.Segments[s].TeacherOffset - a.Segments[s].Offset;
            var averages = a.Averages != 0 && a.Segments[s].TeacherOffset >= 0;
            if (!updates && !averages) continue;
            var rates = default(AdamRates);
            if (updates) rates = a.Rates[s];
            var decay = averages && a.Segments[s].TeacherCopies == 0 ? a.Step[0].EmaDecay : 0;
            var (d, rest) = ((float)decay, (float)(1 - decay));
            var factor = updates ? (float)a.Step[0].GradientFactor : 0;
            var fours = SegmentTable.EndOfFours(from, to, a.InFours != 0 && (!averages || (shift & 3) == 0));
            for (var i = (from >> 2) + Group.IdxX; i < fours >> 2; i += Group.DimX)
            {
                var at = i + (shift >> 2);
                var p = Quad.Load(a.P, i);
                // Before anything is stored, so that it is on its way with the rest.
                var teacher = averages && d != 0 ? Quad.Load(a.Teacher, at) : default;
                if (updates) p = Updated(a, rates, factor, p, i);
                if (!averages) continue;
                var moved = d == 0 ? p : teacher * d + p * rest;
                moved.Store(a.Teacher, at);
                if (a.RoundsTeacher != 0) moved.Store(a.RoundedTeacher, at);
            }
            for (var i = fours + Group.IdxX; i < to; i += Group.DimX)
            {
                var p = a.P[i].Widen();
                if (updates) p = Updated(a, rates, factor, p, i);
                if (!averages) continue;
                var moved = d == 0 ? p : a.Teacher[i + shift].Widen() * d + p * rest;
                a.Teacher[i + shift] = new Full(moved);
                if (a.RoundsTeacher != 0) a.RoundedTeacher[i + shift] = default(Brain).Narrow(moved);
            }
        }
    }

    private static Quad Updated(in FlatUpdateArgs a, in AdamRates r, float factor, Quad p, long i)
    {
        var g = Quad.Load(a.G, i) * factor + p * r.Coupled;
        var m = Quad.Load(a.M, i) * a.Beta1 + g * a.Rest1;
        var v = Quad.Load(a.V, i) * a.Beta2 + g * g * a.Rest2;
        m.Store(a.M, i);
        v.Store(a.V, i);
        p = new Quad(
            Moved(a, r, p.A, m.A, v.A), Moved(a, r, p.B, m.B, v.B), Moved(a, r, p.C, m.C, v.C), Moved(a, r, p.D, m.D, v.D));
        p.Store(a.P, i);
        if (a.Rounds != 0) p.Store(a.Rounded, i);
        return p;
    }

    private static float Updated(in FlatUpdateArgs a, in AdamRates r, float factor, float p, long i)
    {
        var g = a.G[i].Widen() * factor + p * r.Coupled;
        var m = a.M[i].Widen() * a.Beta1 + g * a.Rest1;
        var v = a.V[i].Widen() * a.Beta2 + g * g * a.Rest2;
        a.M[i] = new Full(m);
        a.V[i] = new Full(v);
        p = Moved(a, r, p, m, v);
        a.P[i] = new Full(p);
        if (a.Rounds != 0) a.Rounded[i] = default(Brain).Narrow(p);
        return p;
    }

    private static float Moved(in FlatUpdateArgs a, in AdamRates r, float p, float m, float v) =>
        p * r.Shrink - r.Rate * m / (DeviceMath.Sqrt(v) * r.RootScale + a.Epsilon);
}
