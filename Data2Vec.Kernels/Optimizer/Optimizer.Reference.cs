namespace Data2Vec.Kernels;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void GradientNorm(in GradientNormArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        var step = HostTransfer.Address<StepValues>(a.Step);
        double sum = 0;
        for (var s = 0; s < a.SegmentCount; s++)
        {
            if (segments[s].HasGradient == 0) continue;
            for (long i = 0; i < segments[s].Length; i++)
            {
                var g = Get(a.Gradients, segments[s].Offset + i);
                sum += g * g;
            }
        }
        GradientClip.Finish(step, Math.Sqrt(sum));
    }

    /// <inheritdoc/>
    public void Adam(in AdamArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        var step = HostTransfer.Address<StepValues>(a.Step);
        if (step->NonFinite != 0) return;
        for (var s = 0; s < a.SegmentCount; s++)
        {
            if (segments[s].HasGradient == 0) continue;
            var k = ++segments[s].StepCount;
            var lr = step->LearningRate * segments[s].LearningRateScale;
            var wd = segments[s].WeightDecay * step->WeightDecayScale;
            var c1 = 1 - Math.Pow(a.Beta1, k);
            var c2 = 1 - Math.Pow(a.Beta2, k);
            for (var i = segments[s].Offset; i < segments[s].Offset + segments[s].Length; i++)
            {
                var p = Get(a.Parameters, i);
                var g = Get(a.Gradients, i) * step->GradientFactor;
                if (a.Variant == AdamVariant.AdamL2) g += wd * p;
                else p -= lr * wd * p;
                var m = a.Beta1 * Get(a.Moment1, i) + (1 - a.Beta1) * g;
                var v = a.Beta2 * Get(a.Moment2, i) + (1 - a.Beta2) * g * g;
                p -= a.Variant == AdamVariant.Fairseq
                    ? lr * Math.Sqrt(c2) / c1 * m / (Math.Sqrt(v) + a.Epsilon)
                    : lr * (m / c1) / (Math.Sqrt(v / c2) + a.Epsilon);
                Set(a.Moment1, i, m);
                Set(a.Moment2, i, v);
                Set(a.Parameters, i, p);
                // Of what was stored: to round a wider number would be another rounding.
                if (!a.Rounded.IsNone) Set(a.Rounded, i, Get(a.Parameters, i));
            }
        }
    }

    /// <inheritdoc/>
    public void Ema(in EmaArgs a)
    {
        var segments = HostTransfer.Address<Segment>(a.Segments);
        var step = HostTransfer.Address<StepValues>(a.Step);
        if (step->NonFinite != 0) return;
        for (var s = 0; s < a.SegmentCount; s++)
        {
            if (segments[s].TeacherOffset < 0) continue;
            for (long i = 0; i < segments[s].Length; i++)
            {
                var student = Get(a.Student, segments[s].Offset + i);
                var at = segments[s].TeacherOffset + i;
                var d = segments[s].TeacherCopies != 0 ? 0 : step->EmaDecay;
                Set(a.Teacher, at, d == 0 ? student : d * Get(a.Teacher, at) + (1 - d) * student);
                if (!a.Rounded.IsNone) Set(a.Rounded, at, Get(a.Teacher, at));
            }
        }
    }

    /// <inheritdoc/>
    public void AdamWithEma(in AdamWithEmaArgs a)
    {
        Adam(a.Adam);
        Ema(a.Ema);
    }
}

/// <summary>What every backend does with the global norm, once it is known.</summary>
internal static unsafe class GradientClip
{
    /// <summary>Clip factor with the published 1e-6 in the denominator (PyTorch, fairseq).</summary>
    public static void Finish(StepValues* step, double normOfSum)
    {
        var norm = normOfSum / step->GradientDivisor;
        step->GradientNorm = norm;
        step->NonFinite = double.IsFinite(norm) ? 0 : 1;
        var clip = step->MaxGradientNorm > 0 ? Math.Min(1, step->MaxGradientNorm / (norm + 1e-6)) : 1;
        step->GradientFactor = clip / step->GradientDivisor;
    }
}
