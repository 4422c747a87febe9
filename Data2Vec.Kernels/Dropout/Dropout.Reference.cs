namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Dropout(in DropoutArgs a)
    {
        var keep = KeepFactors(a.Source, a.Count / a.Group);
        for (long i = 0; i < a.Count; i++) Set(a.Y, i, Get(a.X, i) * (keep is null ? 1 : keep[i / a.Group]));
    }

    /// <summary>keep / (1 - p) for every element; null when nothing is dropped.</summary>
    private static double[]? KeepFactors(in DropoutSource source, long count)
    {
        if (!source.IsActive) return null;
        var factors = new double[count];
        var scale = 1 / (1 - source.Probability);
        var key = source.Keep.IsNone ? KeyOf(source) : default;
        for (long i = 0; i < count; i++)
        {
            var kept = source.Keep.IsNone
                ? Philox.Word(key, (ulong)i) >= source.Threshold
                : Get(source.Keep, i) != 0;
            factors[i] = kept ? scale : 0;
        }
        return factors;
    }

    private static unsafe RandomKey KeyOf(in DropoutSource source)
    {
        var step = HostTransfer.Address<StepValues>(source.Step);
        return new RandomKey(step->Seed, step->Step, (ushort)step->MicroBatch, source.Site);
    }
}
