namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Dropout(in DropoutArgs a)
    {
        var bits = KeepBits.Of(a.Source);
        if (a.Group > 1 && bits.IsActive)
        {
            var groups = new DropGroupRange { X = F(a.X), Y = F(a.Y), Bits = bits, Group = a.Group };
            ForRanges(ref groups, a.Count, ElementsPerChunk);
            return;
        }
        var job = new DropoutRange { X = F(a.X), Y = F(a.Y), Bits = bits };
        ForRanges(ref job, a.Count, ElementsPerChunk);
    }

    private struct DropGroupRange : IRange
    {
        public float* X, Y;
        public KeepBits Bits;
        public long Group;

        public readonly void Run(long start, long end, int worker)
        {
            for (long i = start, stop; i < end; i = stop)
            {
                stop = Math.Min(end, (i / Group + 1) * Group);
                var factor = T.Broadcast(Bits.Factor(i / Group));
                for (; i + T.Width <= stop; i += T.Width) T.Store(Y + i, T.Load(X + i) * factor);
                if (i < stop) T.StoreFirst(Y + i, T.LoadFirst(X + i, (int)(stop - i)) * factor, (int)(stop - i));
            }
        }
    }

    private struct DropoutRange : IRange
    {
        public float* X, Y;
        public KeepBits Bits;

        public readonly void Run(long start, long end, int worker)
        {
            const int piece = 1 << 20;
            for (var i = start; i < end; i += piece)
                Bits.Apply(X + i, Y + i, i, (int)Math.Min(piece, end - i));
        }
    }
}

/// <summary>A dropout source resolved for host code: the key, or the explicit mask.</summary>
internal unsafe struct KeepBits
{
    private RandomKey key;
    private uint threshold;
    private float scale;
    private byte* mask;

    public bool IsActive { get; private set; }

    public static KeepBits Of(in DropoutSource source)
    {
        if (!source.IsActive) return default;
        var bits = new KeepBits
        {
            IsActive = true, threshold = source.Threshold, scale = (float)(1 / (1 - source.Probability)),
            mask = HostTransfer.Address(source.Keep),
        };
        if (bits.mask is null)
        {
            var step = HostTransfer.Address<StepValues>(source.Step);
            bits.key = new RandomKey(step->Seed, step->Step, (ushort)step->MicroBatch, source.Site);
        }
        return bits;
    }

    /// <summary>keep / (1 - p) of one position.</summary>
    public readonly float Factor(long position)
    {
        var kept = mask is not null ? mask[position] != 0 : Philox.Word(key, (ulong)position) >= threshold;
        return kept ? scale : 0;
    }

    /// <summary>y = x * keep / (1 - p) for elements [start, start + count) of the logical tensor; y may be x.</summary>
    public readonly void Apply(float* x, float* y, long start, int count)
    {
        if (!IsActive)
        {
            if (x != y) Buffer.MemoryCopy(x, y, (long)count * sizeof(float), (long)count * sizeof(float));
            return;
        }
        if (mask is not null)
        {
            for (var i = 0; i < count; i++) y[i] = mask[start + i] != 0 ? x[i] * scale : 0;
            return;
        }
        for (var i = 0; i < count;)
        {
            var position = (ulong)(start + i);
            var block = Philox.Block(key, position >> 2);
            for (var word = (int)(position & 3); word < 4 && i < count; word++, i++)
                y[i] = block[word] >= threshold ? x[i] * scale : 0;
        }
    }
}
