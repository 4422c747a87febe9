using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>What the catalogue cannot say of kernels/adamw_ema.cu: tables of many segments, segments at odd places.</summary>
public sealed class CudaOptimizerTests : CudaKernelTests
{
    [Test]
    public void A_table_of_more_segments_than_a_block_has_threads() =>
        Compare(o => Update(o, [.. Enumerable.Range(0, 600).Select(i => 1 + i % 5)], shift: 0), bfloat16: false, 0, terms: 1800);

    [Test]
    public void Segments_longer_than_a_chunk_and_at_odd_places([Values(0, 1, 4)] int shift, [Values(0, 1)] int offset) =>
        Compare(o => Update(o, [5000, 3, 0, 4096, 1], shift), bfloat16: false, offset, terms: 9100);

    [Test]
    public void Copies_are_what_a_cast_gives_wherever_segments_lie(
        [Values(0, 1, 4)] int shift, [Values(0, 1, 8)] int offset)
    {
        int[] lengths = [5000, 3, 0, 4096, 1];
        var results = Results(Device, o => Update(o, lengths, shift, rounds: true), DType.Float32, offset);
        Assert.That(results["p rounded"], Is.EqualTo(results["p cast"]));
        Assert.That(results["teacher rounded"], Is.EqualTo(results["teacher cast"]));
    }

    private static Calls Update(RawOperands o, int[] lengths, int shift, bool rounds = false)
    {
        var segments = new Segment[lengths.Length];
        var (at, teacherAt) = (0, shift);
        for (var s = 0; s < lengths.Length; s++)
        {
            var shared = s % 4 == 3;
            segments[s] = new Segment
            {
                Offset = at, Length = lengths[s], TeacherOffset = shared ? -1 : teacherAt, LearningRateScale = 1 + s % 2,
                WeightDecay = 0.1 * (s % 3), StepCount = s % 7, HasGradient = s % 5 == 2 ? 0 : 1, TeacherCopies = s % 6 == 4 ? 1 : 0,
            };
            at += lengths[s];
            if (!shared) teacherAt += lengths[s];
        }
        var table = o.Bytes(segments, DType.UInt8);
        var step = o.Bytes<StepValues>(
        [
            new StepValues
            {
                LearningRate = 0.01, WeightDecayScale = 0.5, EmaDecay = 0.75, GradientDivisor = 3, MaxGradientNorm = 2,
            },
        ], DType.UInt8);
        var (p, g) = (o.Named("p", o.Random(at), at), o.Random(at));
        var (m, v) = (o.Named("m", o.Random(at), at), o.Named("v", o.Given([.. Enumerable.Range(0, at).Select(i => 0.125 * (i % 9))]), at));
        var teacher = o.Named("teacher", o.Random(teacherAt), teacherAt);
        var adam = new AdamArgs
        {
            Parameters = p, Gradients = g, Moment1 = m, Moment2 = v, Segments = table, SegmentCount = segments.Length, Step = step,
            Beta1 = 0.9, Beta2 = 0.98, Epsilon = 1e-6,
        };
        var ema = new EmaArgs { Student = p, Teacher = teacher, Segments = table, SegmentCount = segments.Length, Step = step };
        BufferView Rounded(string name, int count) => rounds ? o.Output(name, count, DType.BFloat16) : default;
        var (copy, cast) = (Rounded("p rounded", at), Rounded("p cast", at));
        var (teacherCopy, teacherCast) = (Rounded("teacher rounded", teacherAt), Rounded("teacher cast", teacherAt));
        adam = adam with { Rounded = copy };
        ema = ema with { Rounded = teacherCopy };
        return new([], b =>
        {
            // Right before, so that they are afterwards also where nothing is updated.
            if (rounds) Cast(b, copy, teacherCopy);
            b.GradientNorm(new GradientNormArgs { Gradients = g, Segments = table, SegmentCount = segments.Length, Step = step });
            b.AdamWithEma(new AdamWithEmaArgs { Adam = adam, Ema = ema });
            b.Adam(adam with { Variant = AdamVariant.Fairseq });
            b.Ema(ema);
            b.Adam(adam with { Variant = AdamVariant.AdamL2 });
            if (rounds) Cast(b, cast, teacherCast);
        });

        void Cast(IBackend b, BufferView ofStudent, BufferView ofTeacher)
        {
            b.Cast(new CastArgs { X = p, Y = ofStudent, Count = at });
            b.Cast(new CastArgs { X = teacher, Y = ofTeacher, Count = teacherAt });
        }
    }
}
