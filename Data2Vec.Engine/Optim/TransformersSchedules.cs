namespace Data2Vec.Engine;

/// <summary>
/// Linear warm-up from 0, then Cycles waves of a cosine between Peak and 0 over the remaining updates; it goes on after
/// the last. Source: transformers 5.23, optimization.py (get_cosine_schedule_with_warmup).
/// </summary>
/// <param name="Peak">Highest rate.</param>
/// <param name="Warmup">Updates of warm-up.</param>
/// <param name="Updates">Updates in all.</param>
/// <param name="Cycles">Whole waves; 0.5 = from the peak to 0 once.</param>
public sealed record WaveSchedule(double Peak, long Warmup, long Updates, double Cycles = 0.5) : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates)
    {
        if (finishedUpdates < Warmup) return Peak * finishedUpdates / Math.Max(1, Warmup);
        var progress = (double)(finishedUpdates - Warmup) / Math.Max(1, Updates - Warmup);
        return Peak * Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * Cycles * 2 * progress)));
    }
}

/// <summary>Linear warm-up from 0, then constant. Source: transformers 5.23, optimization.py.</summary>
/// <param name="Peak">Rate after the warm-up.</param>
/// <param name="Warmup">Updates of warm-up.</param>
public sealed record ConstantSchedule(double Peak, long Warmup = 0) : ISchedule
{
    /// <inheritdoc/>
    public double Rate(long finishedUpdates) => finishedUpdates < Warmup ? Peak * finishedUpdates / Warmup : Peak;
}
