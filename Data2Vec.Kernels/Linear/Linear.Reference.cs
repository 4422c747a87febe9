namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Linear(in LinearArgs a)
    {
        var x = Read(a.X, (long)a.Rows * a.In);
        var w = Read(a.W, (long)a.Out * a.In);
        for (var r = 0; r < a.Rows; r++)
        {
            for (var o = 0; o < a.Out; o++)
            {
                var sum = a.Bias.IsNone ? 0 : Get(a.Bias, o);
                for (var i = 0; i < a.In; i++) sum += x[(long)r * a.In + i] * w[(long)o * a.In + i];
                var at = (long)r * a.Out + o;
                if (!a.PreActivation.IsNone) Set(a.PreActivation, at, sum);
                Set(a.Y, at, Activated(a.Activation, sum));
            }
        }
    }

    /// <inheritdoc/>
    public void LinearBackward(in LinearBackwardArgs a)
    {
        var g = Read(a.DY, (long)a.Rows * a.Out);
        if (a.Activation != Activation.None)
        {
            for (long i = 0; i < g.Length; i++) g[i] *= SlopeOf(a.Activation, Get(a.PreActivation, i));
            Write(a.Scratch, g);
        }
        if (!a.DX.IsNone)
        {
            var w = Read(a.W, (long)a.Out * a.In);
            var dx = new double[(long)a.Rows * a.In];
            for (var r = 0; r < a.Rows; r++)
                for (var o = 0; o < a.Out; o++)
                    for (var i = 0; i < a.In; i++)
                        dx[(long)r * a.In + i] += g[(long)r * a.Out + o] * w[(long)o * a.In + i];
            if (a.InputActivation != Activation.None)
                for (long i = 0; i < dx.Length; i++) dx[i] *= SlopeOf(a.InputActivation, Get(a.InputPreActivation, i));
            Write(a.DX, dx);
        }
        if (!a.DW.IsNone)
        {
            var x = Read(a.X, (long)a.Rows * a.In);
            var dw = new double[(long)a.Out * a.In];
            for (var r = 0; r < a.Rows; r++)
                for (var o = 0; o < a.Out; o++)
                    for (var i = 0; i < a.In; i++)
                        dw[(long)o * a.In + i] += g[(long)r * a.Out + o] * x[(long)r * a.In + i];
            Write(a.DW, dw, a.AccumulateW);
        }
        if (!a.DBias.IsNone)
        {
            var dBias = new double[a.Out];
            for (var r = 0; r < a.Rows; r++)
                for (var o = 0; o < a.Out; o++)
                    dBias[o] += g[(long)r * a.Out + o];
            Write(a.DBias, dBias, a.AccumulateBias);
        }
    }

    private static double Activated(Activation activation, double x) =>
        activation == Activation.None ? x : ElementFunctions.Apply(Function(activation), x, 0, 0);

    private static double SlopeOf(Activation activation, double x) =>
        activation == Activation.None ? 1 : ElementFunctions.Slope(Function(activation), x, 0, 0);

    private static UnaryOp Function(Activation activation) =>
        activation == Activation.Gelu ? UnaryOp.Gelu : UnaryOp.GeluTanh;
}
