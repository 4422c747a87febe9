namespace Data2Vec.Engine;

/// <summary>
/// The factor on the loss of a model in float16, which keeps small gradients above its smallest number: the loss is
/// multiplied by <see cref="Scale"/>, the gradients are divided by it (in <c>StepValues.GradientDivisor</c>), an update
/// whose gradients are not finite is skipped, and <see cref="Update"/> is told.
/// </summary>
public interface ILossScaler
{
    /// <summary>The factor of the next attempt.</summary>
    double Scale { get; }

    /// <summary>Moves the factor after an attempt.</summary>
    /// <param name="finite">The gradients were finite, so that the update was made.</param>
    /// <exception cref="ArithmeticException">The factor fell to its minimum; it keeps its value.</exception>
    void Update(bool finite);

    /// <summary>Everything that the next attempts depend on, for a checkpoint.</summary>
    double[] Save();

    /// <summary>Goes on from what <see cref="Save"/> gave.</summary>
    /// <exception cref="ArgumentException">That is not from a scaler of this kind.</exception>
    void Load(ReadOnlySpan<double> saved);
}

/// <summary>
/// fairseq's rule: after an overflow the factor is divided, if the share of overflows among the attempts since its last
/// change is at least the tolerance; it is multiplied again whenever the attempts since the last overflow are a whole
/// number of windows, the first time after one window. Source: fairseq 3d262bb, dynamic_loss_scaler.py.
/// </summary>
/// <param name="initial">First factor.</param>
/// <param name="factor">Factor on the factor.</param>
/// <param name="window">Clean attempts until it grows.</param>
/// <param name="tolerance">Share of overflows that is borne.</param>
/// <param name="threshold">It does not fall below this; null = no limit.</param>
/// <param name="minimum">Training stops when it falls to this.</param>
public sealed class FairseqLossScaler(
    double initial = 32768, double factor = 2, int window = 2000, double tolerance = 0, double? threshold = null,
    double minimum = 1e-4) : ILossScaler
{
    private long attempts, lastOverflow = -1, lastChange = -1, overflows;

    /// <inheritdoc/>
    public double Scale { get; private set; } = initial;

    /// <inheritdoc/>
    public void Update(bool finite)
    {
        if (finite)
        {
            if ((attempts - lastOverflow) % window == 0)
            {
                Scale *= factor;
                lastChange = attempts;
            }
            attempts++;
            return;
        }
        var before = Scale;
        lastOverflow = attempts;
        overflows++;
        // The last change may have been in the attempt before this one, never in this one.
        if (overflows / (double)(attempts - lastChange) >= tolerance)
        {
            Scale = Math.Max(Scale / factor, threshold ?? 0);
            lastChange = attempts;
            overflows = 0;
        }
        if (Scale <= minimum)
        {
            Scale = before;
            throw new ArithmeticException(
                $"The loss scale fell to its minimum of {minimum} and gradients still overflow; "
                + "lower the learning rate or clip the gradients.");
        }
        attempts++;
    }

    /// <inheritdoc/>
    public double[] Save() => [Scale, attempts, lastOverflow, lastChange, overflows];

    /// <inheritdoc/>
    public void Load(ReadOnlySpan<double> saved)
    {
        Refuse.Unless(saved.Length == 5, $"FairseqLossScaler: five numbers were saved; got {saved.Length}.");
        Scale = saved[0];
        (attempts, lastOverflow) = ((long)saved[1], (long)saved[2]);
        (lastChange, overflows) = ((long)saved[3], (long)saved[4]);
    }
}

/// <summary>
/// PyTorch's rule: every overflow multiplies the factor by <paramref name="backoff"/>, every run of clean attempts of
/// the length of the interval by <paramref name="growth"/>, unless it would become infinite in float32. Source:
/// PyTorch, torch.amp.GradScaler.
/// </summary>
/// <param name="initial">First factor.</param>
/// <param name="growth">What it grows by.</param>
/// <param name="backoff">What it is multiplied by after an overflow.</param>
/// <param name="interval">Clean attempts until it grows.</param>
public sealed class TorchLossScaler(
    double initial = 65536, double growth = 2, double backoff = 0.5, int interval = 2000) : ILossScaler
{
    private long clean;

    /// <inheritdoc/>
    public double Scale { get; private set; } = initial;

    /// <inheritdoc/>
    public void Update(bool finite)
    {
        clean = finite ? clean + 1 : 0;
        if (!finite) Scale *= backoff;
        if (clean < interval) return;
        clean = 0;
        if (float.IsFinite((float)(Scale * growth))) Scale *= growth;
    }

    /// <inheritdoc/>
    public double[] Save() => [Scale, clean];

    /// <inheritdoc/>
    public void Load(ReadOnlySpan<double> saved)
    {
        Refuse.Unless(saved.Length == 2, $"TorchLossScaler: two numbers were saved; got {saved.Length}.");
        (Scale, clean) = (saved[0], (long)saved[1]);
    }
}
