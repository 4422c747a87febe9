using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// x * keep / (1 - p) with bits that are a function of seed, step, site and position; x itself when nothing is dropped.
    /// Backward saves nothing: it draws the same bits again. Source: Srivastava et al. 2014.
    /// </summary>
    public static Tensor Dropout(Tensor x, DropoutSource source)
    {
        Refuse.NotFloat("Dropout", x);
        if (!source.IsActive) return x;
        var y = Dropped(x.Ref, source);
        if (Tape.Of(x) is not { } tape) return new Tensor(y, "Dropout");
        return new Tensor(y, "Dropout", tape.Record(new DropoutNode(tape, x.Node!, source)));
    }

    private static TensorRef Dropped(TensorRef x, in DropoutSource source)
    {
        var y = x.Device.Allocate(x.Shape, x.DType);
        var args = new DropoutArgs { X = x.View, Y = y.View, Count = x.Shape.Count, Source = source };
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

    private sealed class DropoutNode(Tape tape, Node input, DropoutSource source) : Node(tape, "Dropout")
    {
        protected override void Backward(TensorRef dy)
        {
            var dx = Dropped(dy, source);
            input.Pass(dx);
            dx.Release();
        }

        protected override void Release()
        {
        }
    }
}
