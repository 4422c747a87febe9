using System.Runtime.InteropServices;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Bench.Cases.Input;

namespace Data2Vec.Bench.Cases;

/// <summary>The passes of a training step over flat buffers: norm and clipping, Adam, moving average.</summary>
internal static class OptimizerCases
{
    private const string Norm = nameof(IBackend.GradientNorm);
    private const string Adam = nameof(IBackend.Adam);
    private const string Ema = nameof(IBackend.Ema);
    private const string Both = nameof(IBackend.AdamWithEma);

    /// <summary>Lengths below a vector, odd, whole, and several chunks; with gaps between them, as alignment makes.</summary>
    private static readonly int[] Small = [3, 37, 64, 1, 5003];

    /// <summary>What the rounded copies hold before a call: no rounded number of these cases.</summary>
    private const ushort Untouched = 0xABCD;

    /// <summary>The matrices of one layer of the base models, and a bias.</summary>
    private static readonly int[] BaseLayer = [2304 * 768, 768 * 768, 3072 * 768, 768, 768 * 3072];

    public static IEnumerable<OpCase> Cases =>
    [
        NormOf("no clipping", 0, 1),
        NormOf("clipped", 1.5, 1),
        NormOf("below the limit", 1e6, 1),
        NormOf("divided by the number of terms", 1.5, 320),
        NormOf("infinite gradient", 1, 1, bad: float.PositiveInfinity),
        NormOf("NaN gradient", 1, 1, bad: float.NaN),
        .. Enum.GetValues<AdamVariant>().Select(v => AdamOf($"{v}", v)),
        .. Enum.GetValues<AdamVariant>().Select(v => AdamOf($"{v}, tenth update, decay scaled", v, steps: 9, decayScale: 0.5, clip: 0.3)),
        AdamOf("skipped when not finite", AdamVariant.AdamW, nonFinite: true),
        AdamOf("rounded copy", AdamVariant.AdamW, rounds: true),
        AdamOf("rounded copy, skipped when not finite", AdamVariant.AdamW, nonFinite: true, rounds: true),
        EmaOf("averaged, copied and shared segments", 0.999),
        EmaOf("decay 0 copies", 0),
        EmaOf("skipped when not finite", 0.9, nonFinite: true),
        EmaOf("rounded copy", 0.999, rounds: true),
        EmaOf("rounded copy, decay 0", 0, rounds: true),
        EmaOf("rounded copy, skipped when not finite", 0.9, nonFinite: true, rounds: true),
        .. Enum.GetValues<AdamVariant>().Select(v => BothOf($"{v}", 0.999, v, steps: 3)),
        BothOf("decay 0 copies", 0, AdamVariant.AdamW),
        BothOf("skipped when not finite", 0.9, AdamVariant.AdamW, nonFinite: true),
        .. Enum.GetValues<AdamVariant>().Select(
            v => BothOf($"{v}, rounded copies", 0.999, v, rounds: true, roundsTeacher: true)),
        BothOf("rounded copy of the parameters alone", 0.999, AdamVariant.AdamW, rounds: true),
        BothOf("rounded copy of the teacher alone", 0.999, AdamVariant.AdamW, roundsTeacher: true),
        BothOf("rounded copies, skipped when not finite", 0.9, AdamVariant.AdamW, nonFinite: true, rounds: true,
            roundsTeacher: true),
        NormOf("layer of base", 1, 320, size: CaseSize.Real),
        AdamOf("layer of base", AdamVariant.AdamW, size: CaseSize.Real),
        EmaOf("layer of base", 0.999, size: CaseSize.Real),
        BothOf("layer of base", 0.999, AdamVariant.AdamW, size: CaseSize.Real),
        BothOf("layer of base, rounded copies", 0.999, AdamVariant.AdamW, size: CaseSize.Real, rounds: true,
            roundsTeacher: true),
    ];

    public static IEnumerable<OpError> Errors =>
    [
        new(Norm, "a table that is too short", "Segments must hold", [], o =>
        {
            new GradientNormArgs { Gradients = o.Allocate(8, DType.Float32), Segments = o.Allocate(8, DType.UInt8), SegmentCount = 900 }.Check();
            return null;
        }),
        new(Adam, "moments of another type", "one type", [], o =>
        {
            var (p, m) = (o.Allocate(8, DType.Float32), o.Allocate(8, DType.Float64));
            new AdamArgs { Parameters = p, Gradients = p, Moment1 = m, Moment2 = m }.Check();
            return null;
        }),
        new(Ema, "a teacher of another type", "one type", [], o =>
        {
            new EmaArgs { Student = o.Allocate(8, DType.Float32), Teacher = o.Allocate(8, DType.Float64) }.Check();
            return null;
        }),
        new(Adam, "a copy in another type", "Rounded must be bfloat16", [], o =>
        {
            var p = o.Allocate(8, DType.Float32);
            new AdamArgs { Parameters = p, Gradients = p, Moment1 = p, Moment2 = p, Rounded = p }.Check();
            return null;
        }),
        new(Ema, "a copy that is too short", "Rounded must hold", [], o =>
        {
            var p = o.Allocate(1000, DType.Float32);
            new EmaArgs { Student = p, Teacher = p, Rounded = o.Allocate(8, DType.BFloat16) }.Check();
            return null;
        }),
        new(Both, "an average of other parameters", "must be the updated parameters", [], o =>
        {
            var step = UploadStep(o, default);
            var adam = UploadAdam(o, [3], step, 0, AdamVariant.AdamW, () => o.Allocate(16, o.Type));
            var other = o.Allocate(16, o.Type);
            var ema = new EmaArgs { Student = other, Teacher = other, Segments = adam.Segments, SegmentCount = 1, Step = step };
            new AdamWithEmaArgs { Adam = adam, Ema = ema }.Check();
            return null;
        }),
        new(Both, "two tables", "must share the table", [], o =>
        {
            var step = UploadStep(o, default);
            var adam = UploadAdam(o, [3], step, 0, AdamVariant.AdamW, () => o.Allocate(16, o.Type));
            var ema = new EmaArgs
            {
                Student = adam.Parameters, Teacher = o.Allocate(16, o.Type), Segments = UploadSegments(o, [3], 0), SegmentCount = 1, Step = step,
            };
            new AdamWithEmaArgs { Adam = adam, Ema = ema }.Check();
            return null;
        }),
    ];

    private static OpCase NormOf(string name, double limit, double divisor, float bad = 0, CaseSize size = CaseSize.Tiny)
    {
        var (lengths, total) = Layout(size);
        return new(Norm, name)
        {
            Size = size,
            Inputs = [Normal("g", total)],
            ReductionLength = total,
            RunRaw = o =>
            {
                var numbers = (float[])o.Values(0).Clone();
                if (bad != 0) numbers[^10] = bad; // inside the last segment, before its padding
                var step = UploadStep(o, new StepValues { GradientDivisor = divisor, MaxGradientNorm = limit });
                var args = new GradientNormArgs
                {
                    Gradients = o.Upload(numbers), Segments = UploadSegments(o, lengths, 0), SegmentCount = lengths.Length, Step = step,
                };
                args.Check();
                return new RawCall(() => o.Device.Backend.GradientNorm(args), () =>
                {
                    var s = o.DownloadAs<StepValues>(step, 1)[0];
                    return
                    [
                        new("norm", new Shape(1), o.Type, [s.GradientNorm]),
                        new("factor", new Shape(1), o.Type, [s.GradientFactor]),
                        new("finite", new Shape(1), DType.Int32, [s.NonFinite]),
                    ];
                }, 4L * total);
            },
        };
    }

    private static OpCase AdamOf(
        string name, AdamVariant variant, int steps = 0, double decayScale = 1, double clip = 1, bool nonFinite = false,
        CaseSize size = CaseSize.Tiny, bool rounds = false)
    {
        var (lengths, total) = Layout(size);
        return new(Adam, name)
        {
            Size = size,
            Inputs = [Normal("p", total), Normal("g", total), Normal("m", total), Uniform("v", 0.01f, 2, total)],
            RunRaw = o =>
            {
                var step = UploadStep(o, new StepValues
                {
                    LearningRate = 0.01, WeightDecayScale = decayScale, GradientFactor = clip, NonFinite = nonFinite ? 1 : 0,
                });
                var args = UploadAdam(o, lengths, step, steps, variant) with
                {
                    Rounded = rounds ? UploadCopy(o, total) : default,
                };
                args.Check();
                return new RawCall(
                    () => o.Device.Backend.Adam(args), () => Updated(o, args, total),
                    (7L * 4 + CopyBytes(args.Rounded)) * total);
            },
        };
    }

    private static OpCase EmaOf(
        string name, double decay, bool nonFinite = false, CaseSize size = CaseSize.Tiny, bool rounds = false)
    {
        var (lengths, total) = Layout(size);
        return new(Ema, name)
        {
            Size = size,
            Inputs = [Normal("student", total), Normal("teacher", total)],
            RunRaw = o =>
            {
                var args = new EmaArgs
                {
                    Student = o.Upload(o.Values(0)), Teacher = o.Upload(o.Values(1)),
                    Segments = UploadSegments(o, lengths, 0), SegmentCount = lengths.Length,
                    Step = UploadStep(o, new StepValues { EmaDecay = decay, NonFinite = nonFinite ? 1 : 0 }),
                    Rounded = rounds ? UploadCopy(o, total) : default,
                };
                args.Check();
                return new RawCall(
                    () => o.Device.Backend.Ema(args), () => Averaged(o, args, total),
                    (3L * 4 + CopyBytes(args.Rounded)) * total);
            },
        };
    }

    /// <summary>What the oracle gives, and whether it is what the two calls give on the same device, bit for bit.</summary>
    public static OpCase BothOf(
        string name, double decay, AdamVariant variant, int steps = 0, bool nonFinite = false, CaseSize size = CaseSize.Tiny,
        int[]? lengths = null, bool rounds = false, bool roundsTeacher = false)
    {
        lengths ??= Layout(size).Lengths;
        var total = lengths.Sum(Padded);
        return new(Both, name)
        {
            Size = size,
            Inputs =
            [
                Normal("p", total), Normal("g", total), Normal("m", total), Uniform("v", 0.01f, 2, total), Normal("teacher", total),
            ],
            RunRaw = o =>
            {
                AdamWithEmaArgs Arguments()
                {
                    var step = UploadStep(o, new StepValues
                    {
                        LearningRate = 0.01, WeightDecayScale = 1, GradientFactor = 0.3, EmaDecay = decay, NonFinite = nonFinite ? 1 : 0,
                    });
                    var adam = UploadAdam(o, lengths, step, steps, variant) with
                    {
                        Rounded = rounds ? UploadCopy(o, total) : default,
                    };
                    return new AdamWithEmaArgs
                    {
                        Adam = adam,
                        Ema = new EmaArgs
                        {
                            Student = adam.Parameters, Teacher = o.Upload(o.Values(4)), Segments = adam.Segments,
                            SegmentCount = lengths.Length, Step = step,
                            Rounded = roundsTeacher ? UploadCopy(o, total) : default,
                        },
                    };
                }
                IReadOnlyList<Output> Outputs(AdamWithEmaArgs a) =>
                    [.. Updated(o, a.Adam, total), .. Averaged(o, a.Ema, total)];
                var args = Arguments();
                args.Check();
                return new RawCall(() => o.Device.Backend.AdamWithEma(args), () =>
                {
                    var apart = Arguments();
                    o.Device.Backend.Adam(apart.Adam);
                    o.Device.Backend.Ema(apart.Ema);
                    var outputs = Outputs(args);
                    var same = outputs.Zip(Outputs(apart)).All(pair => pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values));
                    return [.. outputs, new("as the two calls", new Shape(1), DType.Int32, [same ? 1 : 0])];
                }, (9L * 4 + CopyBytes(args.Adam.Rounded) + CopyBytes(args.Ema.Rounded)) * total);
            },
        };
    }

    /// <summary>Operands 0 to 3 are parameters, gradients and moments, unless they are made otherwise.</summary>
    private static AdamArgs UploadAdam(
        Operands o, int[] lengths, BufferView step, int steps, AdamVariant variant, Func<BufferView>? flat = null)
    {
        BufferView Part(int number) => flat?.Invoke() ?? o.Upload(o.Values(number));
        return new()
        {
            Parameters = Part(0), Gradients = Part(1), Moment1 = Part(2), Moment2 = Part(3), Segments = UploadSegments(o, lengths, steps),
            SegmentCount = lengths.Length, Step = step, Beta1 = 0.9, Beta2 = 0.98, Epsilon = 1e-6, Variant = variant,
        };
    }

    private static IReadOnlyList<Output> Updated(Operands o, AdamArgs a, int total)
    {
        var counts = o.DownloadAs<Segment>(a.Segments, a.SegmentCount).Select(s => (double)s.StepCount).ToArray();
        return
        [
            Flat("p", o, a.Parameters, total), Flat("m", o, a.Moment1, total), Flat("v", o, a.Moment2, total),
            new("counts", new Shape(counts.Length), DType.Int32, counts),
            .. Copied("p", o, a.Parameters, a.Rounded, total),
        ];
    }

    private static IReadOnlyList<Output> Averaged(Operands o, EmaArgs a, int total) =>
        [Flat("teacher", o, a.Teacher, total), .. Copied("teacher", o, a.Teacher, a.Rounded, total)];

    /// <summary>
    /// Of every element of a copy that was asked for: 1 when it has the bits that a cast gives on the same device, 0
    /// when it is as it was before, -1 when it is something else.
    /// </summary>
    private static IEnumerable<Output> Copied(string name, Operands o, BufferView full, BufferView copy, int total)
    {
        if (copy.IsNone) yield break;
        var cast = o.Allocate(total, DType.BFloat16);
        o.Device.Backend.Cast(new CastArgs { X = full, Y = cast, Count = total });
        var marks = o.DownloadAs<ushort>(copy, total).Zip(
            o.DownloadAs<ushort>(cast, total), (bits, right) => bits == right ? 1.0 : bits == Untouched ? 0 : -1);
        yield return new($"{name} rounded", new Shape(total), DType.Int32, [.. marks]);
    }

    private static BufferView UploadCopy(Operands o, int total)
    {
        var bits = new ushort[total];
        Array.Fill(bits, Untouched);
        return o.Upload(MemoryMarshal.AsBytes<ushort>(bits), DType.BFloat16);
    }

    private static long CopyBytes(BufferView copy) => copy.IsNone ? 0 : 2;

    private static (int[] Lengths, int Total) Layout(CaseSize size)
    {
        var lengths = size == CaseSize.Tiny ? Small : BaseLayer;
        return (lengths, lengths.Sum(Padded));
    }

    private static Output Flat(string name, Operands o, BufferView view, int total) =>
        new(name, new Shape(total), o.Type, o.Download(view, total));

    private static BufferView UploadStep(Operands o, StepValues values) =>
        o.Upload(MemoryMarshal.AsBytes(new ReadOnlySpan<StepValues>(in values)), DType.UInt8);

    /// <summary>One segment without a gradient, one copied by the teacher, one shared with it; rates and decays differ.</summary>
    private static BufferView UploadSegments(Operands o, int[] lengths, int steps)
    {
        var segments = new Segment[lengths.Length];
        long offset = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            segments[i] = new Segment
            {
                Offset = offset, Length = lengths[i], TeacherOffset = i == 2 ? -1 : offset, TeacherCopies = i == 0 ? 1 : 0,
                LearningRateScale = 1 - 0.1 * i, WeightDecay = i % 2 == 0 ? 0.05 : 0, StepCount = steps, HasGradient = i == 3 ? 0 : 1,
            };
            offset += Padded(lengths[i]);
        }
        return o.Upload(MemoryMarshal.AsBytes<Segment>(segments), DType.UInt8);
    }

    private static int Padded(int length) => (length + 15) / 16 * 16;
}
