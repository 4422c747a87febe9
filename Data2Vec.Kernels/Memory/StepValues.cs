using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Data2Vec.Kernels;

/// <summary>
/// What changes at every training step, in one small struct in device memory that kernels read by reference: a captured
/// launch sequence can then be replayed for the next step. The host uploads the first part; kernels write the second.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct StepValues
{
    /// <summary>Seed of the run; the key of every random draw.</summary>
    public ulong Seed;

    /// <summary>Finished optimiser updates.</summary>
    public uint Step;

    /// <summary>Index of the micro-batch inside the update.</summary>
    public uint MicroBatch;

    /// <summary>Learning rate of this update.</summary>
    public double LearningRate;

    /// <summary>Factor on every segment's weight decay (a schedule); 1 without one.</summary>
    public double WeightDecayScale;

    /// <summary>Decay of the teacher's moving average after this update.</summary>
    public double EmaDecay;

    /// <summary>Divides the summed gradients: the number of loss terms over all micro-batches.</summary>
    public double GradientDivisor;

    /// <summary>Clip when the global norm exceeds this; 0 = never.</summary>
    public double MaxGradientNorm;

    /// <summary>Written by the norm kernel: L2 norm of all gradients after the division.</summary>
    public double GradientNorm;

    /// <summary>Written by the norm kernel: factor applied to gradients (division and clipping together).</summary>
    public double GradientFactor;

    /// <summary>Written by the norm kernel: 1 when the norm is NaN or infinite; the update is then skipped.</summary>
    public int NonFinite;

    /// <summary>Unused; keeps the struct a multiple of 8 bytes.</summary>
    public int Reserved;
}

/// <summary>Where a kernel's dropout bits come from.</summary>
/// <param name="Probability">Probability of dropping an element, in [0, 1); 0 = no dropout.</param>
/// <param name="Site">Declared number of the place in the model; part of the random key.</param>
/// <param name="Step">A <see cref="StepValues"/> in device memory: seed, step and micro-batch of the key.</param>
/// <param name="Keep">Explicit keep mask (Bool) instead of random bits.</param>
public readonly record struct DropoutSource(double Probability, uint Site, BufferView Step, BufferView Keep)
{
    /// <summary>True when elements are dropped at all.</summary>
    public bool IsActive => Probability > 0 || !Keep.IsNone;

    /// <summary>
    /// Element dropout: position i (row-major in the logical tensor) takes word i mod 4 of Philox block i div 4 and is
    /// kept when word &gt;= Threshold; kept elements are multiplied by 1 / (1 - Probability).
    /// </summary>
    public uint Threshold => (uint)Math.Min(uint.MaxValue, Math.Round(Probability * 4294967296.0));

    /// <summary>
    /// Attention dropout: position i takes byte i mod 16 (little endian) of block i div 16 and is kept when
    /// byte &gt;= ByteThreshold; kept probabilities are multiplied by 256 / (256 - ByteThreshold).
    /// </summary>
    public int ByteThreshold => (int)Math.Min(255, Math.Round(Probability * 256.0));

    internal void Check(string op, long count)
    {
        if (!IsActive) return;
        Kernels.Check.That(op, Probability is >= 0 and < 1,
            $"dropout probability must lie in [0, 1); got {Probability}.");
        if (Keep.IsNone) Kernels.Check.Holds(op, Step, Unsafe.SizeOf<StepValues>(), DType.UInt8, "step values");
        else Kernels.Check.Holds(op, Keep, count, DType.Bool, "keep mask");
    }
}
