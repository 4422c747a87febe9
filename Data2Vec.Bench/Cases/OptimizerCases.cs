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

    /// <summary>Lengths below a vector, odd, whole, and several chunks; with gaps between them, as alignment makes.</summary>
    private static readonly int[] Lengths = [3, 37, 64, 1, 5003];

    private static int Total => Lengths.Sum(Padded);

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
        EmaOf("averaged, copied and shared segments", 0.999),
        EmaOf("decay 0 copies", 0),
        EmaOf("skipped when not finite", 0.9, nonFinite: true),
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
    ];

    private static OpCase NormOf(string name, double limit, double divisor, float bad = 0) => new(Norm, name)
    {
        Inputs = [Normal("g", Total)],
        ReductionLength = Total,
        RunRaw = o =>
        {
            var numbers = (float[])o.Values(0).Clone();
            if (bad != 0) numbers[^1] = bad;
            var step = UploadStep(o, new StepValues { GradientDivisor = divisor, MaxGradientNorm = limit });
            var args = new GradientNormArgs
            {
                Gradients = o.Upload(numbers), Segments = UploadSegments(o, 0), SegmentCount = Lengths.Length, Step = step,
            };
            args.Check();
            o.Device.Backend.GradientNorm(args);
            var s = o.DownloadAs<StepValues>(step, 1)[0];
            return
            [
                new("norm", new Shape(1), o.Type, [s.GradientNorm]),
                new("factor", new Shape(1), o.Type, [s.GradientFactor]),
                new("finite", new Shape(1), DType.Int32, [s.NonFinite]),
            ];
        },
    };

    private static OpCase AdamOf(
        string name, AdamVariant variant, int steps = 0, double decayScale = 1, double clip = 1, bool nonFinite = false) => new(Adam, name)
    {
        Inputs = [Normal("p", Total), Normal("g", Total), Normal("m", Total), Uniform("v", 0.01f, 2, Total)],
        RunRaw = o =>
        {
            var (p, g, m, v) = (o.Upload(o.Values(0)), o.Upload(o.Values(1)), o.Upload(o.Values(2)), o.Upload(o.Values(3)));
            var segments = UploadSegments(o, steps);
            var args = new AdamArgs
            {
                Parameters = p, Gradients = g, Moment1 = m, Moment2 = v, Segments = segments, SegmentCount = Lengths.Length,
                Step = UploadStep(o, new StepValues
                {
                    LearningRate = 0.01, WeightDecayScale = decayScale, GradientFactor = clip, NonFinite = nonFinite ? 1 : 0,
                }),
                Beta1 = 0.9, Beta2 = 0.98, Epsilon = 1e-6, Variant = variant,
            };
            args.Check();
            o.Device.Backend.Adam(args);
            var counts = o.DownloadAs<Segment>(segments, Lengths.Length).Select(s => (double)s.StepCount).ToArray();
            return
            [
                Flat("p", o, p), Flat("m", o, m), Flat("v", o, v),
                new("counts", new Shape(counts.Length), DType.Int32, counts),
            ];
        },
    };

    private static OpCase EmaOf(string name, double decay, bool nonFinite = false) => new(Ema, name)
    {
        Inputs = [Normal("student", Total), Normal("teacher", Total)],
        RunRaw = o =>
        {
            var teacher = o.Upload(o.Values(1));
            var args = new EmaArgs
            {
                Student = o.Upload(o.Values(0)), Teacher = teacher, Segments = UploadSegments(o, 0), SegmentCount = Lengths.Length,
                Step = UploadStep(o, new StepValues { EmaDecay = decay, NonFinite = nonFinite ? 1 : 0 }),
            };
            args.Check();
            o.Device.Backend.Ema(args);
            return [Flat("teacher", o, teacher)];
        },
    };

    private static Output Flat(string name, Operands o, BufferView view) =>
        new(name, new Shape(Total), o.Type, o.Download(view, Total));

    private static BufferView UploadStep(Operands o, StepValues values) =>
        o.Upload(MemoryMarshal.AsBytes(new ReadOnlySpan<StepValues>(in values)), DType.UInt8);

    /// <summary>One segment without a gradient, one copied by the teacher, one shared with it; rates and decays differ.</summary>
    private static BufferView UploadSegments(Operands o, int steps)
    {
        var segments = new Segment[Lengths.Length];
        long offset = 0;
        for (var i = 0; i < segments.Length; i++)
        {
            segments[i] = new Segment
            {
                Offset = offset, Length = Lengths[i], TeacherOffset = i == 2 ? -1 : offset, TeacherCopies = i == 0 ? 1 : 0,
                LearningRateScale = 1 - 0.1 * i, WeightDecay = i % 2 == 0 ? 0.05 : 0, StepCount = steps, HasGradient = i == 3 ? 0 : 1,
            };
            offset += Padded(Lengths[i]);
        }
        return o.Upload(MemoryMarshal.AsBytes<Segment>(segments), DType.UInt8);
    }

    private static int Padded(int length) => (length + 15) / 16 * 16;
}
