namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    public void Gather(in GatherArgs a)
    {
        switch (a.X.DType.Size())
        {
            case 1: Move<byte>(a.X, a.Index, a.Y, new Lines(a.Shape, a.Source, a.Dimension), gather: true); break;
            case 2: Move<ushort>(a.X, a.Index, a.Y, new Lines(a.Shape, a.Source, a.Dimension), gather: true); break;
            case 4: Move<uint>(a.X, a.Index, a.Y, new Lines(a.Shape, a.Source, a.Dimension), gather: true); break;
            default: Move<ulong>(a.X, a.Index, a.Y, new Lines(a.Shape, a.Source, a.Dimension), gather: true); break;
        }
    }

    public void Scatter(in ScatterArgs a)
    {
        var lines = new Lines(a.Shape, a.Target, a.Dimension);
        if (a.Accumulate)
        {
            var job = new AddLines { X = F(a.X), Y = F(a.Y), Index = RowList.Of(a.Index), Lines = lines };
            ForRanges(ref job, lines.Count, RowsPerChunk(lines.Length));
            return;
        }
        switch (a.X.DType.Size())
        {
            case 1: Move<byte>(a.X, a.Index, a.Y, lines, gather: false); break;
            case 2: Move<ushort>(a.X, a.Index, a.Y, lines, gather: false); break;
            case 4: Move<uint>(a.X, a.Index, a.Y, lines, gather: false); break;
            default: Move<ulong>(a.X, a.Index, a.Y, lines, gather: false); break;
        }
    }

    private void Move<TElement>(BufferView x, BufferView index, BufferView y, Lines lines, bool gather)
        where TElement : unmanaged
    {
        var job = new MoveLines<TElement>
        {
            X = (TElement*)HostTransfer.Address(x), Y = (TElement*)HostTransfer.Address(y), Index = RowList.Of(index),
            Lines = lines, Gather = gather,
        };
        ForRanges(ref job, lines.Count, RowsPerChunk(lines.Length));
    }

    /// <summary>Elements of one size, whatever they mean.</summary>
    private struct MoveLines<TElement> : IRange
        where TElement : unmanaged
    {
        public TElement* X, Y;
        public RowList Index;
        public Lines Lines;
        public bool Gather;

        public readonly void Run(long start, long end, int worker)
        {
            for (var line = start; line < end; line++)
            {
                var (own, whole) = Lines.Start(line);
                for (var i = 0; i < Lines.Length; i++)
                {
                    var p = own + i * Lines.Step;
                    var index = RowIndex.Checked(Gather ? "Gather" : "Scatter", Index[p], p, Lines.Limit);
                    var at = whole + index * Lines.WholeStep;
                    if (Gather) Y[p] = X[at];
                    else Y[at] = X[p];
                }
            }
        }
    }

    private struct AddLines : IRange
    {
        public float* X, Y;
        public RowList Index;
        public Lines Lines;

        public readonly void Run(long start, long end, int worker)
        {
            for (var line = start; line < end; line++)
            {
                var (own, whole) = Lines.Start(line);
                for (var i = 0; i < Lines.Length; i++)
                {
                    var p = own + i * Lines.Step;
                    Y[whole + RowIndex.Checked("Scatter", Index[p], p, Lines.Limit) * Lines.WholeStep] += X[p];
                }
            }
        }
    }
}
