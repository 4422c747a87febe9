using Data2Vec.Kernels.Cpu;

namespace Data2Vec.Kernels;

internal sealed unsafe partial class CpuBackend<T>
{
    /// <summary>Output frames whose rows of taps lie in memory at a time.</summary>
    private const int ConvRows = 256;

    public void Conv1d(in Conv1dArgs a)
    {
        var s = a.Shape;
        float* x = F(a.X), w = F(a.W), y = F(a.Y), sums = F(a.PreActivation), bias = F(a.Bias);
        var inner = s.Kernel * s.GroupIn;
        var gathered = (long)ConvRows * inner;
        var memory = shared.Floats(gathered + Gemm<T>.WorkspaceSize(ConvRows, s.GroupOut, inner));
        for (var b = 0; b < s.Batch; b++)
        {
            for (var g = 0; g < s.Groups; g++)
            {
                for (var t = 0; t < s.OutTime; t += ConvRows)
                {
                    var rows = Math.Min(ConvRows, s.OutTime - t);
                    GatherTaps(s, x, b, g, t, rows, memory);
                    var at = ((long)b * s.OutTime + t) * s.Out + g * s.GroupOut;
                    var epilogue = new LinearEpilogue
                    {
                        Y = y + at, Sums = sums is null ? null : sums + at,
                        Bias = bias is null ? null : bias + g * s.GroupOut, Width = s.Out, Activation = a.Activation,
                    };
                    Gemm<T>.Run(pool, memory + gathered, rows, s.GroupOut, inner, 1,
                        new GemmOperand((nint)memory, inner, 1),
                        new GemmOperand((nint)(w + (long)g * s.GroupOut * inner), 1, inner), y + at, s.Out, false, epilogue);
                }
            }
        }
    }

    public void Conv1dBackward(in Conv1dBackwardArgs a)
    {
        var s = a.Shape;
        var slopes = F(a.DY);
        if (a.Activation != Activation.None)
        {
            UnaryBackward(new UnaryBackwardArgs
            {
                Op = a.Activation == Activation.Gelu ? UnaryOp.Gelu : UnaryOp.GeluTanh,
                X = a.PreActivation, DY = a.DY, DX = a.Scratch, Count = s.OutputCount,
            });
            slopes = F(a.Scratch);
        }
        float* x = F(a.X), w = F(a.W), dx = F(a.DX), dw = F(a.DW);
        var inner = s.Kernel * s.GroupIn;
        var gathered = (long)ConvRows * inner;
        var memory = shared.Floats(gathered + Math.Max(
            Gemm<T>.WorkspaceSize(ConvRows, inner, s.GroupOut), Gemm<T>.WorkspaceSize(s.GroupOut, inner, ConvRows)));
        if (dx is not null)
            for (long i = 0; i < s.InputCount; i++) dx[i] = 0;
        if (dw is not null && !a.AccumulateW)
            for (long i = 0; i < s.WeightCount; i++) dw[i] = 0;
        for (var b = 0; b < s.Batch; b++)
        {
            for (var g = 0; g < s.Groups; g++)
            {
                var weight = (long)g * s.GroupOut * inner;
                for (var t = 0; t < s.OutTime; t += ConvRows)
                {
                    var rows = Math.Min(ConvRows, s.OutTime - t);
                    var slope = slopes + ((long)b * s.OutTime + t) * s.Out + g * s.GroupOut;
                    if (dw is not null)
                    {
                        GatherTaps(s, x, b, g, t, rows, memory);
                        Gemm<T>.Run(pool, memory + gathered, s.GroupOut, inner, rows, 1,
                            new GemmOperand((nint)slope, 1, s.Out), new GemmOperand((nint)memory, inner, 1), dw + weight, inner,
                            true, default(NoEpilogue));
                    }
                    if (dx is null) continue;
                    Gemm<T>.Run(pool, memory + gathered, rows, inner, s.GroupOut, 1,
                        new GemmOperand((nint)slope, s.Out, 1), new GemmOperand((nint)(w + weight), inner, 1), memory, inner,
                        false, default(NoEpilogue));
                    AddTaps(s, memory, b, g, t, rows, dx);
                }
            }
        }
        if (a.DBias.IsNone) return;
        var sums = new BiasRange
        {
            G = slopes, DBias = F(a.DBias), Rows = s.Batch * s.OutTime, Columns = s.Out, Accumulate = a.AccumulateBias,
        };
        ForRanges(ref sums, s.Out, 64);
    }

    /// <summary>Rows of what output frames t, t + 1, ... see of one group: [rows, Kernel, GroupIn], zeros in the padding.</summary>
    private static void GatherTaps(in Conv1dShape s, float* x, int b, int g, int t, int rows, float* to)
    {
        for (var r = 0; r < rows; r++)
        {
            for (var k = 0; k < s.Kernel; k++, to += s.GroupIn)
            {
                var u = (long)(t + r) * s.Stride - s.Padding + (long)k * s.Dilation;
                var target = new Span<float>(to, s.GroupIn);
                if (u < 0 || u >= s.Time) target.Clear();
                else new ReadOnlySpan<float>(x + (b * (long)s.Time + u) * s.In + g * s.GroupIn, s.GroupIn).CopyTo(target);
            }
        }
    }

    /// <summary>Adds rows as <see cref="GatherTaps"/> makes them back to the frames that they came from.</summary>
    private static void AddTaps(in Conv1dShape s, float* from, int b, int g, int t, int rows, float* dx)
    {
        for (var r = 0; r < rows; r++)
        {
            for (var k = 0; k < s.Kernel; k++, from += s.GroupIn)
            {
                var u = (long)(t + r) * s.Stride - s.Padding + (long)k * s.Dilation;
                if (u < 0 || u >= s.Time) continue;
                var to = dx + (b * (long)s.Time + u) * s.In + g * s.GroupIn;
                for (var c = 0; c < s.GroupIn; c++) to[c] += from[c];
            }
        }
    }
}
