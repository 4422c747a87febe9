namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Softmax(in SoftmaxArgs a)
    {
        var x = new double[a.Length];
        for (long outer = 0; outer < a.Outer; outer++)
        {
            for (long inner = 0; inner < a.Inner; inner++)
            {
                var start = outer * a.Length * a.Inner + inner;
                for (var i = 0; i < a.Length; i++) x[i] = Get(a.X, start + i * a.Inner);
                if (a.Length == 0) continue;
                var max = x[Extreme(x, largest: true)];
                var sum = x.Sum(v => Math.Exp(v - max));
                for (var i = 0; i < a.Length; i++)
                    Set(a.Y, start + i * a.Inner, a.Log ? x[i] - max - Math.Log(sum) : Math.Exp(x[i] - max) / sum);
            }
        }
    }

    /// <inheritdoc/>
    public void SoftmaxBackward(in SoftmaxBackwardArgs a)
    {
        for (long outer = 0; outer < a.Outer; outer++)
        {
            for (long inner = 0; inner < a.Inner; inner++)
            {
                var start = outer * a.Length * a.Inner + inner;
                double sum = 0;
                for (var i = 0; i < a.Length; i++)
                {
                    var at = start + i * a.Inner;
                    sum += Get(a.DY, at) * (a.Log ? 1 : Get(a.Y, at));
                }
                for (var i = 0; i < a.Length; i++)
                {
                    var at = start + i * a.Inner;
                    var (y, dy) = (Get(a.Y, at), Get(a.DY, at));
                    Set(a.DX, at, a.Log ? dy - Math.Exp(y) * sum : y * (dy - sum));
                }
            }
        }
    }
}
