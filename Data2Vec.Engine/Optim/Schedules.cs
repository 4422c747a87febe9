namespace Data2Vec.Engine;

/// <summary>
/// A learning rate as a function of the number of finished updates: update k (from 1) uses Rate(k - 1).
/// </summary>
public interface ISchedule
{
    /// <summary>The rate when this many updates are finished.</summary>
    double Rate(long finishedUpdates);
}

/// <summary>
/// Linear warm-up from Initial * Peak, hold, exponential decay to Final * Peak, constant after. Phase lengths are
/// int(updates * ratio); the first decay step is still the peak. Source: fairseq 3d262bb, tri_stage_lr_scheduler.py.
/// </summary>
/// <param name="Peak">Rate of the hold phase.</param>
/// <param name="Warmup">Updates of warm-up.</param>
/// <param name="Hold">Updates at the peak.</param>
/// <param name="Decay">Updates of decay.</param>
/// <param name="Initial">Start of the warm-up as a share of the peak.</param>
/// <param name="Final">End of the decay as a share of the peak.</param>
public sealed record TriStageSchedule(
    double Peak, long Warmup, long Hold, long Decay, double Initial = 0.01, double Final = 0.01) : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates)
    {
        var n = finishedUpdates;
        if (n < Warmup) return Peak * Initial + (Peak - Peak * Initial) * n / Warmup;
        n -= Warmup;
        if (n < Hold) return Peak;
        n -= Hold;
        return n <= Decay && Decay > 0 ? Peak * Math.Exp(n * Math.Log(Final) / Decay) : Peak * Final;
    }
}

/// <summary>
/// Linear warm-up, then half a cosine from Peak to Minimum over the remaining updates; at the end a new period starts
/// with Shrink * Peak. Source: fairseq 3d262bb, cosine_lr_scheduler.py.
/// </summary>
/// <param name="Peak">Highest rate.</param>
/// <param name="Warmup">Updates of warm-up.</param>
/// <param name="Updates">Updates in all.</param>
/// <param name="Minimum">Lowest rate of the cosine.</param>
/// <param name="WarmupStart">Rate at the start of the warm-up; null = the minimum.</param>
/// <param name="PeriodFactor">Each period is this much longer than the one before.</param>
/// <param name="Shrink">Factor on peak and minimum from period to period.</param>
/// <param name="Period">Updates of the first period; null = all after the warm-up.</param>
public sealed record CosineSchedule(
    double Peak, long Warmup, long Updates, double Minimum = 0, double? WarmupStart = null, double PeriodFactor = 1,
    double Shrink = 0.1, double? Period = null) : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates)
    {
        if (finishedUpdates < Warmup)
        {
            var start = WarmupStart ?? Minimum;
            return start + finishedUpdates * (Peak - start) / Warmup;
        }
        double n = finishedUpdates - Warmup;
        var period = Period ?? Updates - Warmup;
        double i, length, at;
        if (PeriodFactor != 1)
        {
            i = Math.Floor(Math.Log(1 - n / period * (1 - PeriodFactor), PeriodFactor));
            length = Math.Pow(PeriodFactor, i) * period;
            at = n - (1 - Math.Pow(PeriodFactor, i)) / (1 - PeriodFactor) * period;
        }
        else
        {
            i = Math.Floor(n / period);
            length = period;
            at = n - period * i;
        }
        var shrink = Math.Pow(Shrink, i);
        var (low, high) = (Minimum * shrink, Peak * shrink);
        return low + 0.5 * (high - low) * (1 + Math.Cos(Math.PI * at / length));
    }
}

/// <summary>
/// Linear warm-up from 0, then (Peak - End) * (1 - t)^Power + End, End after the last update. Source: fairseq 3d262bb,
/// polynomial_decay_schedule.py.
/// </summary>
/// <param name="Peak">Highest rate.</param>
/// <param name="Warmup">Updates of warm-up.</param>
/// <param name="Updates">Updates in all.</param>
/// <param name="End">Rate at the end.</param>
/// <param name="Power">1 = linear.</param>
public sealed record PolynomialSchedule(double Peak, long Warmup, long Updates, double End = 0, double Power = 1)
    : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates)
    {
        if (Warmup > 0 && finishedUpdates <= Warmup) return Peak * finishedUpdates / Warmup;
        if (finishedUpdates >= Updates) return End;
        var left = 1 - (double)(finishedUpdates - Warmup) / (Updates - Warmup);
        return (Peak - End) * Math.Pow(left, Power) + End;
    }
}

/// <summary>
/// Decay of the teacher's average: from Start to End, linear over Updates, then constant; used with the number of the
/// update just finished. Source: fairseq 3d262bb, get_annealed_rate.
/// </summary>
public sealed record EmaSchedule(double Start, double End, long Updates)
{
    /// <summary>The decay after this many updates.</summary>
    public double Decay(long finishedUpdates) => finishedUpdates >= Updates
        ? End
        : End - (End - Start) * (1 - (double)finishedUpdates / Updates);
}
