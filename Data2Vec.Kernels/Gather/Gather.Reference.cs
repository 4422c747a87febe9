namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Gather(in GatherArgs a)
    {
        var lines = new Lines(a.Shape, a.Source, a.Dimension);
        for (long line = 0; line < lines.Count; line++)
        {
            var (own, whole) = lines.Start(line);
            for (var i = 0; i < lines.Length; i++)
            {
                var p = own + i * lines.Step;
                var index = RowIndex.Checked("Gather", GetIndex(a.Index, p), p, lines.Limit);
                Set(a.Y, p, Get(a.X, whole + index * lines.WholeStep));
            }
        }
    }

    /// <inheritdoc/>
    public void Scatter(in ScatterArgs a)
    {
        var lines = new Lines(a.Shape, a.Target, a.Dimension);
        for (long line = 0; line < lines.Count; line++)
        {
            var (own, whole) = lines.Start(line);
            for (var i = 0; i < lines.Length; i++)
            {
                var p = own + i * lines.Step;
                var at = whole + RowIndex.Checked("Scatter", GetIndex(a.Index, p), p, lines.Limit) * lines.WholeStep;
                Set(a.Y, at, a.Accumulate ? Get(a.Y, at) + Get(a.X, p) : Get(a.X, p));
            }
        }
    }
}
