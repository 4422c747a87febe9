namespace Data2Vec.Engine;

/// <summary>
/// The vision code's rate: a line from Start to Peak over the warm-up, both ends included, then half a cosine from Peak
/// towards Final, which it never quite reaches; Final after the last update. So the peak is used twice. Source:
/// data2vec_vision af9a363, utils.py (cosine_scheduler).
/// </summary>
/// <param name="Peak">Rate at the end of the warm-up.</param>
/// <param name="Final">What the cosine falls to.</param>
/// <param name="Updates">Updates in all.</param>
/// <param name="Warmup">Updates of the warm-up.</param>
/// <param name="Start">First rate of the warm-up.</param>
public sealed record VisionCosineSchedule(
    double Peak, double Final, long Updates, long Warmup = 0, double Start = 0) : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates)
    {
        if (finishedUpdates < Warmup) return VisionLine.At(Start, Peak, finishedUpdates, Warmup);
        var (i, length) = (finishedUpdates - Warmup, Updates - Warmup);
        return i >= length ? Final : Final + 0.5 * (Peak - Final) * (1 + Math.Cos(Math.PI * i / length));
    }
}

/// <summary>
/// The vision code's rate in three lines, all with both ends included: warm-up from Start to Peak over int(Updates *
/// share) updates, hold, decay to Final. Source: data2vec_vision af9a363, utils.py (tri_phase_scheduler).
/// </summary>
/// <param name="Peak">Rate of the hold phase.</param>
/// <param name="Final">Rate of the last update.</param>
/// <param name="Updates">Updates in all.</param>
/// <param name="WarmupShare">Part of the updates that warm up.</param>
/// <param name="DecayShare">Part of the updates that decay.</param>
/// <param name="Start">First rate of the warm-up.</param>
public sealed record TriPhaseSchedule(
    double Peak, double Final, long Updates, double WarmupShare, double DecayShare, double Start = 0) : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates)
    {
        var (warmup, decay) = ((long)(Updates * WarmupShare), (long)(Updates * DecayShare));
        if (finishedUpdates < warmup) return VisionLine.At(Start, Peak, finishedUpdates, warmup);
        if (finishedUpdates < Updates - decay) return Peak;
        return VisionLine.At(Peak, Final, Math.Min(finishedUpdates - (Updates - decay), decay - 1), decay);
    }
}

/// <summary>
/// The vision code's decay of the teacher's average: a line from Start over Updates iterations, counted before the
/// update; then its last value until an epoch begins, and End from there on. Source: data2vec_vision af9a363,
/// engine_for_cyclical.py.
/// </summary>
/// <param name="Start">Decay of the first iteration.</param>
/// <param name="End">Decay after the ramp.</param>
/// <param name="Updates">Iterations of the ramp; 0 = none.</param>
/// <param name="EpochLength">Iterations of an epoch.</param>
public sealed record VisionEmaSchedule(double Start, double End, long Updates, long EpochLength)
{
    /// <summary>The decay of an iteration, counted from 0.</summary>
    public double Decay(long iteration) => Decay(iteration, iteration / EpochLength * EpochLength);

    /// <summary>The decay of an iteration of an epoch that begins at another, both counted from 0.</summary>
    public double Decay(long iteration, long epochStart) =>
        epochStart >= Updates ? End : Ramp(Math.Min(iteration, Updates - 1));

    private double Ramp(long iteration) => Start + iteration * (End - Start) / Updates;
}

/// <summary>Lines between two rates, both included.</summary>
internal static class VisionLine
{
    /// <summary>Point i of a line of n points; a line of one point is its start.</summary>
    public static double At(double start, double end, long i, long n) =>
        n <= 1 ? start : i == n - 1 ? end : start + i * ((end - start) / (n - 1));
}
