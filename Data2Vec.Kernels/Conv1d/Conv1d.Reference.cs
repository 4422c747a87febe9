namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a) => Conv1dThenLayerNorm.Run(this, a);

    /// <inheritdoc/>
    public void Conv1d(in Conv1dArgs a)
    {
        var s = a.Shape;
        var x = Read(a.X, s.InputCount);
        var w = Read(a.W, s.WeightCount);
        for (var b = 0; b < s.Batch; b++)
        {
            for (var t = 0; t < s.OutTime; t++)
            {
                for (var o = 0; o < s.Out; o++)
                {
                    var sum = a.Bias.IsNone ? 0 : Get(a.Bias, o);
                    for (var k = 0; k < s.Kernel; k++)
                    {
                        if (FrameOf(s, t, k) is not { } u) continue;
                        var (from, weight) = (RowOfInput(s, b, u, o), RowOfWeight(s, o, k));
                        for (var c = 0; c < s.GroupIn; c++) sum += x[from + c] * w[weight + c];
                    }
                    var at = ((long)b * s.OutTime + t) * s.Out + o;
                    if (!a.PreActivation.IsNone) Set(a.PreActivation, at, sum);
                    Set(a.Y, at, Activated(a.Activation, sum));
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Conv1dBackward(in Conv1dBackwardArgs a)
    {
        var s = a.Shape;
        var g = Read(a.DY, s.OutputCount);
        if (a.Activation != Activation.None)
        {
            for (long i = 0; i < g.Length; i++) g[i] *= SlopeOf(a.Activation, Get(a.PreActivation, i));
            Write(a.Scratch, g);
        }
        // Operands of gradients that nobody wants may be absent: their products are skipped.
        var x = a.DW.IsNone ? null : Read(a.X, s.InputCount);
        var w = a.DX.IsNone ? null : Read(a.W, s.WeightCount);
        var dx = a.DX.IsNone ? null : new double[s.InputCount];
        var dw = a.DW.IsNone ? null : new double[s.WeightCount];
        var dBias = new double[s.Out];
        for (var b = 0; b < s.Batch; b++)
        {
            for (var t = 0; t < s.OutTime; t++)
            {
                for (var o = 0; o < s.Out; o++)
                {
                    var slope = g[((long)b * s.OutTime + t) * s.Out + o];
                    dBias[o] += slope;
                    for (var k = 0; k < s.Kernel; k++)
                    {
                        if (FrameOf(s, t, k) is not { } u) continue;
                        var (from, weight) = (RowOfInput(s, b, u, o), RowOfWeight(s, o, k));
                        for (var c = 0; c < s.GroupIn; c++)
                        {
                            if (dx is not null) dx[from + c] += slope * w![weight + c];
                            if (dw is not null) dw[weight + c] += slope * x![from + c];
                        }
                    }
                }
            }
        }
        if (dx is not null) Write(a.DX, dx);
        if (dw is not null) Write(a.DW, dw, a.AccumulateW);
        Write(a.DBias, dBias, a.AccumulateBias);
    }

    /// <summary>The input frame that tap k of output frame t sees; null in the padding.</summary>
    private static int? FrameOf(in Conv1dShape s, int t, int k)
    {
        var u = (long)t * s.Stride - s.Padding + (long)k * s.Dilation;
        return u >= 0 && u < s.Time ? (int)u : null;
    }

    /// <summary>Where the channels of o's group begin in input frame u.</summary>
    private static long RowOfInput(in Conv1dShape s, int b, int u, int o) =>
        ((long)b * s.Time + u) * s.In + o / s.GroupOut * s.GroupIn;

    private static long RowOfWeight(in Conv1dShape s, int o, int k) => ((long)o * s.Kernel + k) * s.GroupIn;
}
