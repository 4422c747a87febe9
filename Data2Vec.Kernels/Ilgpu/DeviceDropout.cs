using ILGPU;

namespace Data2Vec.Kernels.Ilgpu;

/// <summary><see cref="DropoutSource"/> as kernels read it: drawn bits, an explicit keep mask, or no dropout at all.</summary>
internal struct DeviceDropout
{
    private ArrayView<StepValues> step;
    private ArrayView<byte> keep;
    private uint threshold, site;
    private int byteThreshold, mode;
    private float scale, byteScale;

    /// <summary>False when every factor is 1.</summary>
    public readonly bool IsActive => mode != 0;

    /// <summary>keep / (1 - p) at a position: 0, or the scale; 1 without dropout.</summary>
    public readonly float Factor(long position)
    {
        if (mode == 0) return 1;
        if (mode == 1) return DevicePhilox.Word(step[0], site, position) >= threshold ? scale : 0;
        return keep[position] != 0 ? scale : 0;
    }

    /// <summary>The factors of four positions from one on that is a multiple of four: one block of random words.</summary>
    public readonly Quad Factors(long position)
    {
        if (mode == 0) return new Quad(1, 1, 1, 1);
        if (mode == 1)
        {
            DevicePhilox.Block(step[0], site, position >> 2, out var w0, out var w1, out var w2, out var w3);
            return new Quad(
                w0 >= threshold ? scale : 0, w1 >= threshold ? scale : 0, w2 >= threshold ? scale : 0,
                w3 >= threshold ? scale : 0);
        }
        return new Quad(Factor(position), Factor(position + 1), Factor(position + 2), Factor(position + 3));
    }

    /// <summary>As above where only so many of the four exist: a keep mask has no more.</summary>
    public readonly Quad Factors(long position, long left)
    {
        if (mode != 2 || left >= 4) return Factors(position);
        return new Quad(Factor(position), left > 1 ? Factor(position + 1) : 0, left > 2 ? Factor(position + 2) : 0, 0);
    }

    /// <summary>As <see cref="Factor"/>, for probabilities of attention, whose bits are bytes.</summary>
    public readonly float ByteFactor(long position)
    {
        if (mode == 0) return 1;
        if (mode == 1) return DevicePhilox.Byte(step[0], site, position) >= (uint)byteThreshold ? byteScale : 0;
        return keep[position] != 0 ? scale : 0;
    }

    /// <summary>
    /// Which of up to 16 neighbouring positions <see cref="ByteFactor"/> keeps, bit by bit: one block of random bytes, or two
    /// where the run crosses from one into the next. All of them without dropout.
    /// </summary>
    public readonly uint KeepBits(long position, int count)
    {
        if (mode == 0) return 0xFFFF;
        var bits = 0u;
        if (mode == 2)
        {
            for (var i = 0; i < count; i++) bits |= keep[position + i] != 0 ? 1u << i : 0;
            return bits;
        }
        var into = (int)(position & 15);
        bits = BlockBits(position >> 4) >> into;
        if (into + count > 16) bits |= BlockBits((position >> 4) + 1) << (16 - into);
        return bits;
    }

    /// <summary>What <see cref="ByteFactor"/> multiplies a kept probability by.</summary>
    public readonly float KeptScale => mode == 0 ? 1 : mode == 1 ? byteScale : scale;

    private readonly uint BlockBits(long block)
    {
        DevicePhilox.Block(step[0], site, block, out var w0, out var w1, out var w2, out var w3);
        return WordBits(w0) | (WordBits(w1) << 4) | (WordBits(w2) << 8) | (WordBits(w3) << 12);
    }

    private readonly uint WordBits(uint word)
    {
        var least = (uint)byteThreshold;
        return ((word & 255) >= least ? 1u : 0) | (((word >> 8) & 255) >= least ? 2u : 0)
            | (((word >> 16) & 255) >= least ? 4u : 0) | (word >> 24 >= least ? 8u : 0);
    }

    public static DeviceDropout Of(in DropoutSource source) => !source.IsActive ? default : new DeviceDropout
    {
        mode = source.Keep.IsNone ? 1 : 2,
        step = IlgpuBackend.View<StepValues>(source.Step),
        keep = IlgpuBackend.View<byte>(source.Keep),
        threshold = source.Threshold,
        site = source.Site,
        byteThreshold = source.ByteThreshold,
        scale = (float)(1 / (1 - source.Probability)),
        byteScale = 256f / (256 - source.ByteThreshold),
    };
}
