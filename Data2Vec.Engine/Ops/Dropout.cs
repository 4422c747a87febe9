using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Dropout by given bits instead of random ones. The mask must outlive its use.
    /// </summary>
    /// <param name="keep">Bool, true = kept; one for each draw.</param>
    /// <param name="probability">What kept values are divided by 1 minus this.</param>
    /// <exception cref="ArgumentException">The mask is not bool.</exception>
    public static DropoutSource KeepMask(Tensor keep, double probability)
    {
        Refuse.Unless(keep.DType == DType.Bool, $"KeepMask: the mask must be bool; got {keep}.");
        return new DropoutSource(probability, 0, default, keep.View);
    }

    /// <summary>
    /// x * keep / (1 - p) with bits that are a function of seed, step, site and position; x itself when nothing is
    /// dropped. Backward saves nothing: it draws the same bits again. Source: Srivastava et al. 2014.
    /// </summary>
    public static Tensor Dropout(Tensor x, DropoutSource source)
    {
        Refuse.NotFloat("Dropout", x);
        RefuseProbability("Dropout", source.Probability);
        if (!source.IsActive) return x;
        return Dropout("Dropout", x, 1, source);
    }

    /// <summary>
    /// Stochastic depth: whole samples of x [B, ...] are dropped, with one draw each, and kept ones divided by 1 - p; x
    /// itself when nothing is dropped. An explicit keep mask has B elements. Backward draws the same bits again.
    /// Source: Huang et al. 2016.
    /// </summary>
    /// <exception cref="ArgumentException">x is a scalar or no floating-point tensor.</exception>
    public static Tensor DropPath(Tensor x, DropoutSource source)
    {
        Refuse.NotFloat("DropPath", x);
        Refuse.Unless(x.Shape.Rank >= 1, $"DropPath: x must be [samples, ...]; got {x}.");
        RefuseProbability("DropPath", source.Probability);
        if (!source.IsActive) return x;
        return Dropout("DropPath", x, Math.Max(1, x.Shape.Slice(1, x.Shape.Rank - 1).Count), source);
    }

    private static void RefuseProbability(string op, double probability) => Refuse.Unless(
        probability is >= 0 and < 1, $"{op}: the dropout probability must lie in [0, 1); got {probability}.");

    private static Tensor Dropout(string name, Tensor x, long group, in DropoutSource source)
    {
        var tape = Tape.Of(x);
        var y = Dropped(x.Ref, group, source);
        if (tape is null) return new Tensor(y, name);
        return new Tensor(y, name, tape.Record(new DropoutNode(tape, name, x.Node!, group, source)));
    }

    private static TensorRef Dropped(TensorRef x, long group, in DropoutSource source)
    {
        var y = x.Device.Allocate(x.Shape, x.DType);
        var args = new DropoutArgs { X = x.View, Y = y.View, Count = x.Shape.Count, Group = group, Source = source };
        try
        {
            args.Check();
            x.Device.Backend.Dropout(args);
        }
        catch
        {
            // A refusal must not cost memory: nobody owns the output yet.
            y.Release();
            throw;
        }
        return y;
    }

    private sealed class DropoutNode(Tape tape, string name, Node input, long group, DropoutSource source)
        : Node(tape, name)
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = Dropped(dy, group, source);
            input.Pass(dx);
            dx.Release();
        }

        protected override void Release()
        {
        }
    }
}
