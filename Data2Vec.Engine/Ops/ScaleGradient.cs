namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>y = x, sharing its memory; the gradient is multiplied by a factor on its way back. Backward saves nothing.</summary>
    /// <param name="x">Any floating-point tensor.</param>
    /// <param name="factor">Of the gradient; 0 stops it.</param>
    public static Tensor ScaleGradient(Tensor x, double factor)
    {
        Refuse.NotFloat("ScaleGradient", x);
        var tape = Tape.Of(x);
        var place = x.Ref.Retain();
        if (tape is null || factor == 0) return new Tensor(place, "ScaleGradient");
        return new Tensor(place, "ScaleGradient", tape.Record(new ScaleGradientNode(tape, x.Node!, factor)));
    }

    private sealed class ScaleGradientNode(Tape tape, Node input, double factor) : Node(tape, "ScaleGradient")
    {
        protected override void Backward(TensorRef dy)
        {
            using var scope = Tape.Device.Scope();
            var scaled = Affine(new Tensor(dy.Retain(), Op), factor);
            input.Pass(scaled.Ref);
        }

        protected override void Release()
        {
        }
    }
}
