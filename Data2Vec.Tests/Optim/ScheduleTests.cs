using Data2Vec.Engine;
using NUnit.Framework;

namespace Data2Vec.Tests.Optim;

/// <summary>Edges of the schedules; whole recorded tables are in the conformance suite `optim`.</summary>
public sealed class ScheduleTests
{
    private const double Close = 1e-15;

    [Test]
    public void Tri_stage_warms_up_holds_and_decays_with_the_last_step_included()
    {
        var s = new TriStageSchedule(1, Warmup: 4, Hold: 2, Decay: 2);
        double[] expected = [0.01, 0.2575, 0.505, 0.7525, 1, 1, 1, 0.1, 0.01, 0.01];
        for (var n = 0; n < expected.Length; n++)
            Assert.That(s.Rate(n), Is.EqualTo(expected[n]).Within(Close), $"n = {n}");
    }

    [Test]
    public void Tri_stage_without_warm_up_or_decay_has_the_peak_and_then_the_final_rate()
    {
        var s = new TriStageSchedule(1, 0, 3, 0, Final: 0.5);
        Assert.That(new[] { s.Rate(0), s.Rate(2), s.Rate(3), s.Rate(9) }, Is.EqualTo(new[] { 1, 1, 0.5, 0.5 }));
    }

    [Test]
    public void Cosine_starts_at_zero_and_ends_near_it()
    {
        var s = new CosineSchedule(0.1, Warmup: 2, Updates: 12);
        Assert.That(s.Rate(0), Is.Zero);
        Assert.That(s.Rate(1), Is.EqualTo(0.05).Within(Close));
        Assert.That(s.Rate(2), Is.EqualTo(0.1).Within(Close));
        Assert.That(s.Rate(7), Is.EqualTo(0.05).Within(Close));
        Assert.That(s.Rate(11), Is.EqualTo(0.1 * 0.5 * (1 + Math.Cos(0.9 * Math.PI))).Within(Close));
    }

    [Test]
    public void Cosine_restarts_shrunk_when_its_period_ends()
    {
        var s = new CosineSchedule(1, 0, 100, Period: 10, Shrink: 0.5, PeriodFactor: 2, Minimum: 0.2);
        Assert.That(s.Rate(10), Is.EqualTo(0.5).Within(Close));
        Assert.That(s.Rate(20), Is.EqualTo(0.3).Within(1e-12));
        Assert.That(s.Rate(30), Is.EqualTo(0.25).Within(1e-12));
        Assert.That(new CosineSchedule(1, 0, 10).Rate(10), Is.EqualTo(0.1).Within(Close));
    }

    [Test]
    public void Cosine_can_warm_up_from_another_rate_than_its_minimum() =>
        Assert.That(new CosineSchedule(1, 2, 10, Minimum: 0.3, WarmupStart: 0.1).Rate(0), Is.EqualTo(0.1));

    [Test]
    public void Polynomial_reaches_its_end_and_stays()
    {
        var s = new PolynomialSchedule(1, Warmup: 2, Updates: 10, End: 0.5, Power: 2);
        Assert.That(s.Rate(0), Is.Zero);
        Assert.That(s.Rate(2), Is.EqualTo(1));
        Assert.That(s.Rate(6), Is.EqualTo(0.625).Within(Close));
        Assert.That(s.Rate(10), Is.EqualTo(0.5));
        Assert.That(s.Rate(11), Is.EqualTo(0.5));
    }

    [Test]
    public void The_teachers_decay_ramps_and_stays()
    {
        var s = new EmaSchedule(0.5, 0.9, 4);
        Assert.That(s.Decay(0), Is.EqualTo(0.5).Within(Close));
        Assert.That(s.Decay(1), Is.EqualTo(0.6).Within(Close));
        Assert.That(s.Decay(4), Is.EqualTo(0.9));
        Assert.That(s.Decay(5), Is.EqualTo(0.9));
        Assert.That(new EmaSchedule(0.5, 0.9, 0).Decay(0), Is.EqualTo(0.9));
    }

    [Test]
    public void The_vision_rate_has_its_peak_twice_and_its_end_only_after_the_last_update()
    {
        var s = new VisionCosineSchedule(1, 0.5, Updates: 7, Warmup: 3);
        Assert.That(new[] { s.Rate(0), s.Rate(1), s.Rate(2), s.Rate(3) }, Is.EqualTo(new[] { 0, 0.5, 1, 1 }));
        Assert.That(s.Rate(5), Is.EqualTo(0.75).Within(Close));
        Assert.That(s.Rate(6), Is.GreaterThan(0.5));
        Assert.That(s.Rate(7), Is.EqualTo(0.5));
        Assert.That(new VisionCosineSchedule(1, 0, 4, Warmup: 1).Rate(0), Is.Zero,
            "a warm-up of one update is its start");
    }

    [Test]
    public void The_vision_average_keeps_the_last_value_of_its_ramp_until_an_epoch_begins()
    {
        var ramp = new VisionEmaSchedule(0, 1, Updates: 4, EpochLength: 3);
        double[] expected = [0, 0.25, 0.5, 0.75, 0.75, 0.75, 1, 1];
        Assert.That(Enumerable.Range(0, expected.Length).Select(n => ramp.Decay(n)), Is.EqualTo(expected));
        Assert.That(new VisionEmaSchedule(0.5, 0.9, 0, 3).Decay(0), Is.EqualTo(0.9));
        Assert.That(new VisionEmaSchedule(0, 1, 3, 3).Decay(3), Is.EqualTo(1), "the ramp ends with an epoch");
    }
}
