using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Data2Vec.Kernels;

/// <summary>
/// One parameter's place in the flat buffers, as it lies in device memory: a table of these, in the order of their offsets,
/// none reaching into the next.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct Segment
{
    /// <summary>First element in the flat buffer.</summary>
    public long Offset;
    /// <summary>Number of elements.</summary>
    public long Length;
    /// <summary>First element in the teacher's flat buffer; -1 when the teacher shares the student's.</summary>
    public long TeacherOffset;
    /// <summary>Factor on the learning rate.</summary>
    public double LearningRateScale;
    /// <summary>Weight decay of this parameter.</summary>
    public double WeightDecay;
    /// <summary>Updates this parameter has seen; advanced by the Adam kernel.</summary>
    public int StepCount;
    /// <summary>1 when this update has a gradient; without one the parameter and its state stay.</summary>
    public int HasGradient;
    /// <summary>1 when the teacher copies this segment instead of averaging it.</summary>
    public int TeacherCopies;
    /// <summary>Unused; keeps the struct a multiple of 8 bytes.</summary>
    public int Reserved;
}

/// <summary>Which published form of Adam.</summary>
public enum AdamVariant
{
    /// <summary>AdamW: p *= 1 - lr·wd; p -= lr · (m / c1) / (sqrt(v / c2) + eps).</summary>
    AdamW,
    /// <summary>Adam with L2: g += wd·p, then as AdamW without decay.</summary>
    AdamL2,
    /// <summary>fairseq: p -= lr·wd·p; p -= lr · sqrt(c2) / c1 · m / (sqrt(v) + eps).</summary>
    Fairseq,
}

/// <summary>
/// Norm of the summed gradients divided by the step's GradientDivisor, over all segments that have one (sums in
/// double, segment by segment in fixed chunks). Writes GradientNorm, GradientFactor = min(1, MaxGradientNorm /
/// (norm + 1e-6)) / GradientDivisor (without a maximum 1 / GradientDivisor) and NonFinite into the step values.
/// </summary>
public readonly struct GradientNormArgs
{
    /// <summary>Flat gradients.</summary>
    public BufferView Gradients { get; init; }

    /// <summary>Table of Segment (UInt8).</summary>
    public BufferView Segments { get; init; }

    /// <summary>Its length.</summary>
    public int SegmentCount { get; init; }

    /// <summary>StepValues (UInt8).</summary>
    public BufferView Step { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.Float("GradientNorm", Gradients);
        Kernels.Check.Holds("GradientNorm", Segments, SegmentCount * (long)Unsafe.SizeOf<Segment>(), DType.UInt8);
        Kernels.Check.Holds("GradientNorm", Step, Unsafe.SizeOf<StepValues>(), DType.UInt8);
    }
}

/// <summary>
/// One update of every segment that has a gradient: g = gradient * GradientFactor, m = b1 m + (1 - b1) g, v = b2 v
/// + (1 - b2) g², c = 1 - b^k with the segment's own count k, then the variant's formula with lr = LearningRate *
/// LearningRateScale and wd = WeightDecay * WeightDecayScale. Does nothing when NonFinite is set. Sources:
/// Loshchilov &amp; Hutter 2019; fairseq 3d262bb, optim/adam.py.
/// </summary>
public readonly struct AdamArgs
{
    /// <summary>Flat parameters, updated.</summary>
    public BufferView Parameters { get; init; }

    /// <summary>Flat gradients.</summary>
    public BufferView Gradients { get; init; }

    /// <summary>Flat first moments, updated.</summary>
    public BufferView Moment1 { get; init; }

    /// <summary>Flat second moments, updated.</summary>
    public BufferView Moment2 { get; init; }

    /// <summary>Table of Segment (UInt8); its counts advance.</summary>
    public BufferView Segments { get; init; }

    /// <summary>Its length.</summary>
    public int SegmentCount { get; init; }

    /// <summary>StepValues (UInt8).</summary>
    public BufferView Step { get; init; }

    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; init; }

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init; }

    /// <summary>Added to the root.</summary>
    public double Epsilon { get; init; }

    /// <summary>Formula.</summary>
    public AdamVariant Variant { get; init; }

    /// <summary>
    /// Flat bfloat16 copy of the parameters, or absent: what is updated is written here too, to the bits that
    /// <see cref="IBackend.Cast"/> would give (a NaN stays one); the rest stays.
    /// </summary>
    public BufferView Rounded { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        var type = Kernels.Check.Float("Adam", Parameters);
        Kernels.Check.That("Adam", Gradients.DType == type && Moment1.DType == type && Moment2.DType == type,
            "parameters, gradients and moments must have one type.");
        Kernels.Check.HoldsIfGiven("Adam", Rounded, Parameters.Available, DType.BFloat16);
        Kernels.Check.Holds("Adam", Segments, SegmentCount * (long)Unsafe.SizeOf<Segment>(), DType.UInt8);
        Kernels.Check.Holds("Adam", Step, Unsafe.SizeOf<StepValues>(), DType.UInt8);
    }
}

/// <summary>
/// For every segment with its own teacher slice: teacher = d * teacher + (1 - d) * student with d = EmaDecay of the
/// step, or a copy where the segment says so. Does nothing when NonFinite is set.
/// </summary>
public readonly struct EmaArgs
{
    /// <summary>Flat student parameters.</summary>
    public BufferView Student { get; init; }

    /// <summary>Flat teacher parameters, updated.</summary>
    public BufferView Teacher { get; init; }

    /// <summary>Table of Segment (UInt8).</summary>
    public BufferView Segments { get; init; }

    /// <summary>Its length.</summary>
    public int SegmentCount { get; init; }

    /// <summary>StepValues (UInt8).</summary>
    public BufferView Step { get; init; }

    /// <summary>Flat bfloat16 copy of the teacher, or absent; as <see cref="AdamArgs.Rounded"/>.</summary>
    public BufferView Rounded { get; init; }

    /// <summary>Refuses operands of wrong type or size.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Kernels.Check.That("Ema", Student.DType == Teacher.DType, "student and teacher must have one type.");
        Kernels.Check.Float("Ema", Student);
        Kernels.Check.HoldsIfGiven("Ema", Rounded, Teacher.Available, DType.BFloat16);
        Kernels.Check.Holds("Ema", Segments, SegmentCount * (long)Unsafe.SizeOf<Segment>(), DType.UInt8);
        Kernels.Check.Holds("Ema", Step, Unsafe.SizeOf<StepValues>(), DType.UInt8);
    }
}

/// <summary>
/// An update and the moving average that follows it, with one table and one set of step values: what
/// <see cref="IBackend.Adam"/> and then <see cref="IBackend.Ema"/> would do, but parameters are read once. The averaged
/// student is the updated parameters.
/// </summary>
public readonly struct AdamWithEmaArgs
{
    /// <summary>The update.</summary>
    public AdamArgs Adam { get; init; }

    /// <summary>The average of what it gives.</summary>
    public EmaArgs Ema { get; init; }

    /// <summary>Refuses operands of wrong type or size, and two calls that do not belong together.</summary>
    /// <exception cref="ArgumentException">One sentence naming the operand and what was expected.</exception>
    public void Check()
    {
        Adam.Check();
        Ema.Check();
        Kernels.Check.That("AdamWithEma", Ema.Student == Adam.Parameters, "the student must be the updated parameters.");
        Kernels.Check.That("AdamWithEma",
            Ema.Segments == Adam.Segments && Ema.SegmentCount == Adam.SegmentCount && Ema.Step == Adam.Step,
            "update and average must share the table of segments and the step values.");
    }
}
